import type { MarkdownIt } from "markdown-it";

/** Renders TeX as MathML; null for what cannot be rendered. */
export type RenderFormula = (tex: string, display: boolean) => string | null;

/**
 * Adds formulas to Markdown: `$…$` in a line, `$$…$$` on lines of their own or in one. Amounts of money stay
 * text: a formula begins and ends without a space, ends at the next dollar, and no digit follows it.
 */
export function formulas(markdown: MarkdownIt): void {
  markdown.inline.ruler.after("escape", "formula", (state, silent) => {
    const found = formulaAt(state.src.slice(0, state.posMax), state.pos);
    if (!found) return false;
    if (!silent) {
      const token = state.push("formula", "math", 0);
      token.content = found.tex;
      token.markup = found.display ? "$$" : "$";
    }
    state.pos = found.end;
    return true;
  });

  markdown.block.ruler.before(
    "fence",
    "formula_block",
    (state, startLine, endLine, silent) => {
      const lineAt = (line: number) =>
        state.src.slice((state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0), state.eMarks[line]).trimEnd();
      if ((state.sCount[startLine] ?? 0) - state.blkIndent >= 4) return false;
      const first = lineAt(startLine);
      if (!first.startsWith("$$")) return false;
      let line = startLine;
      let last = first.slice(2);
      const tex: string[] = [];
      while (!last.endsWith("$$")) {
        tex.push(last);
        line++;
        // An empty line ends a paragraph in TeX too: the dollars were meant as such.
        if (line >= endLine || (state.sCount[line] ?? 0) < state.blkIndent) return false;
        last = lineAt(line);
        if (last === "") return false;
      }
      tex.push(last.slice(0, -2));
      const whole = tex.join("\n").trim();
      if (whole === "" || whole.includes("$$")) return false;
      if (silent) return true;
      state.line = line + 1;
      const token = state.push("formula_block", "math", 0);
      token.block = true;
      token.content = whole;
      token.map = [startLine, line + 1];
      return true;
    },
    { alt: ["paragraph", "reference", "blockquote", "list"] },
  );

  const shown = (tex: string, display: boolean, env: unknown): string => {
    const html = (env as { formula?: RenderFormula } | undefined)?.formula?.(tex, display);
    if (html) return html;
    const marks = display ? "$$" : "$";
    return `<code>${markdown.utils.escapeHtml(marks + tex + marks)}</code>`;
  };
  const scrolling = (html: string) =>
    `<section class="scroll formula" tabindex="0" aria-label="Formula">${html}</section>`;
  markdown.renderer.rules.formula = (tokens, index, _options, env) =>
    shown(tokens[index]?.content ?? "", tokens[index]?.markup === "$$", env);
  markdown.renderer.rules.formula_block = (tokens, index, _options, env) =>
    scrolling(shown(tokens[index]?.content ?? "", true, env));
}

/** Returns the formula that begins at this dollar, and where it ends; null where the dollar is text. */
export function formulaAt(text: string, from: number): { tex: string; end: number; display: boolean } | null {
  if (text[from] !== "$") return null;
  const display = text[from + 1] === "$";
  const marks = display ? "$$" : "$";
  const start = from + marks.length;
  // US$5, and the second dollar of a pair that is not a formula.
  if (/[\p{L}\p{N}$\\]/u.test(text[from - 1] ?? "")) return null;
  const end = closingAt(text, start, marks);
  if (end < 0) return null;
  const tex = text.slice(start, end);
  if (tex.trim() === "" || (!display && (/^\s|\s$/.test(tex) || /\d/.test(text[end + 1] ?? "")))) return null;
  return isAmount(tex) ? null : { tex: tex.trim(), end: end + marks.length, display };
}

/** Returns where the next dollars are that TeX does not escape; -1 unless they are these marks. */
function closingAt(text: string, start: number, marks: string): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "$") return text.startsWith(marks, at) ? at : -1;
  }
  return -1;
}

/** "5 and 10" of "$5 and 10$": a number and words, and nothing that TeX would make a formula of. */
const isAmount = (tex: string): boolean =>
  /^[\d.,]+[kKmMbB]?\s+\p{L}{2}/u.test(tex) && !/[\\^_={}]/.test(tex);

/** Returns a formula as plain text, where it is one: "k" of `$k$`. */
export function plainFormula(tex: string): string {
  return /^[\p{L}\p{N}\s+\-*/=<>.,()|'!]+$/u.test(tex) ? tex : "…";
}
