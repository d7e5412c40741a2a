import { describe, expect, it } from "vitest";
import { removeFolderPaths, sanitizeText } from "./sanitize-text.ts";

describe("an evaluator's text", () => {
  it("keeps lines, tabs and letters of any script", () => {
    expect(sanitizeText("Zeile 1\r\n\tсрока 2 ✓")).toBe("Zeile 1\n\tсрока 2 ✓");
  });

  it("cannot move the cursor, reorder text or hide a line break", () => {
    expect(sanitizeText("a\u001b[2J\u009b1m\u202eb\u2028c\rd\u0000")).toBe(
      "a\\u001b[2J\\u009b1m\\u202eb\\u2028c\\u000dd\\u0000",
    );
  });

  it("is truncated at its limit, with malformed characters replaced", () => {
    expect(sanitizeText("x".repeat(20_000)).length).toBeLessThan(10_300);
    expect(sanitizeText("a\ud800")).toBe("a\ufffd");
  });

  it("does not contain this machine's folders", () => {
    expect(removeFolderPaths("no /srv/iris/private/a.csv in /srv/iris", ["/srv/iris"])).toBe(
      "no private/a.csv in .",
    );
  });
});
