import type { RenderFormula } from "./formulas.ts";

const MAX_LENGTH = 2000;
/** Of all formulas of one text, in characters of TeX and of MathML. */
const MAX_TEX = 30_000;
const MAX_MATHML = 1_000_000;

/**
 * Returns a renderer for the formulas of one text, which limits what they cost together. Commands that load
 * or link something are not followed. Loads KaTeX when it is first called.
 */
export async function createFormulaRenderer(): Promise<RenderFormula> {
  const { default: katex } = await import("katex");
  let tex = 0;
  let mathml = 0;
  return (source, display) => {
    tex += source.length;
    if (source.length > MAX_LENGTH || tex > MAX_TEX || mathml > MAX_MATHML) return null;
    try {
      const html = katex.renderToString(source, {
        output: "mathml",
        displayMode: display,
        trust: false,
        strict: "ignore",
        throwOnError: true,
        maxSize: 20,
        maxExpand: 100,
      });
      mathml += html.length;
      // The content-security policy allows no style attributes. Quotes in texts are escaped, so this finds
      // attributes only.
      return mathml > MAX_MATHML ? null : html.replace(/ style="[^"]*"/g, "");
    } catch {
      // A mistake in the formula, or one nested too deeply.
      return null;
    }
  };
}
