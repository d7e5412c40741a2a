import { describe, expect, it } from "vitest";
import { lineProblem, lineSchema, plainText } from "./plain-text.ts";

describe("a name", () => {
  it.each(["a.csv", "Zoë's run #3 (final)", "日本語", "مرحبا", "👩‍💻", "ن\u200cم"])("may be %s", (name) => {
    expect(lineProblem(name)).toBeNull();
    expect(lineSchema.parse(name)).toBe(name);
  });

  it.each([
    ["a\nb", "a control character (U+000A)"],
    ["a\u0000", "a control character (U+0000)"],
    ["\u001b[31mred", "a control character (U+001B)"],
    ["a\u0085b", "a control character (U+0085)"],
    ["a\u2028b", "a control character (U+2028)"],
    ["gnp.\u202eexe", "changes the direction of text (U+202E)"],
    ["a\u2066b", "changes the direction of text (U+2066)"],
    ["a\u200fb", "changes the direction of text (U+200F)"],
    ["a\ud800", "is not Unicode"],
  ])("may not be %j", (name, problem) => {
    expect(lineProblem(name)).toContain(problem);
    expect(lineSchema.safeParse(name).error?.issues[0]?.message).toContain(problem);
  });
});

it("a text of several lines keeps its lines and tabs, and shows what it would hide", () => {
  expect(plainText("a\r\n\tb\rc")).toBe("a\n\tb\nc");
  expect(plainText("\u001b[2Jgnp.\u202eexe\u2028\ud800")).toBe("\\u001b[2Jgnp.\\u202eexe\\u2028\ufffd");
});
