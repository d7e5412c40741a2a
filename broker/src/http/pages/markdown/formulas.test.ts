import { describe, expect, it } from "vitest";
import { formulaAt, plainFormula } from "./formulas.ts";
import { createFormulaRenderer } from "./render-formula.ts";

const found = (text: string) => {
  const all: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const formula = formulaAt(text, at);
    if (!formula) continue;
    all.push(formula.tex);
    at = formula.end - 1;
  }
  return all;
};

describe("formulas in Markdown", () => {
  it.each([
    ["the $k$-nearest, the $n$th", ["k", "n"]],
    ["($x_i$, $\\$5$)", ["x_i", "\\$5"]],
    ["so $$a = b$$ holds", ["a = b"]],
    ["costs $5 or $x$", ["x"]],
    ["$2^n$ and $0.5$", ["2^n", "0.5"]],
  ])("are found in %j", (text, formulas) => expect(found(text)).toEqual(formulas));

  it.each([
    "prices start at $5 and end at $20 per MWh",
    "$5-$10, $5/$10 and $5",
    "US$5 and AU$6",
    "between $5 and 10$ a piece",
    "$5 million and 7 million$",
    "a single $ and $ another",
    "$HOME and $PATH",
    "an escaped \\$x$",
  ])("are not found in %j", (text) => expect(found(text)).toEqual([]));

  it("are plain where a list shows them", () => {
    expect([plainFormula("k"), plainFormula("n = 5"), plainFormula("\\frac12")]).toEqual(["k", "n = 5", "…"]);
  });

  it("become MathML without styles, links, pictures and scripts", async () => {
    const render = await createFormulaRenderer();
    expect(render("x^2", false)).toContain("<msup><mi>x</mi><mn>2</mn></msup>");
    expect(render("\\fcolorbox{red}{blue}{x}", false)).not.toMatch(/<[^>]* style=/);
    for (const tex of [
      "\\href{javascript:alert(1)}{x}",
      "\\includegraphics{https://example.org/x.png}",
      "\\htmlStyle{color:red}{x}",
      "\\htmlData{onclick=x}{y}",
      "\\text{<img src=x onerror=alert(1)>}",
    ])
      expect(render(tex, false)?.replace(/<annotation.*<\/annotation>/s, "")).not.toMatch(
        /<(?:a|img|script)\b|<[^>]* (?:href|src|onclick|style)=/,
      );
  });

  it.each([
    ["a mistake", "\\frac{1"],
    ["an endless macro", "\\def\\a{\\a\\a}\\a"],
    ["a long one", "x".repeat(3000)],
    ["a deep one", "{".repeat(999) + "}".repeat(999)],
  ])("are not rendered with %s, or not at once", async (_, tex) => {
    const html = (await createFormulaRenderer())(tex, false);
    expect((html ?? "").length).toBeLessThan(10_000);
  });

  it("cost only so much together", async () => {
    const render = await createFormulaRenderer();
    const all = Array.from({ length: 100 }, () => render("x+".repeat(500), false));
    expect(all[0]).toContain("math");
    expect(all.at(-1)).toBeNull();
  });
});
