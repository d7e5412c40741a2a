import { describe, expect, it } from "vitest";
import { removeFolderPaths, sanitizeText } from "./sanitize-text.ts";

describe("an evaluator's text", () => {
  it("keeps lines, tabs and letters of any script", () => {
    expect(sanitizeText("Zeile 1\r\n\tсрока 2 ✓")).toBe("Zeile 1\n\tсрока 2 ✓");
  });

  it("cannot move a cursor, reorder text or end a line in secret", () => {
    expect(sanitizeText("a\u001b[2J\u009b1m\u202eb\u2028c\rd\u0000")).toBe(
      "a\\u001b[2J\\u009b1m\\u202eb\\u2028c\\u000dd\\u0000",
    );
  });

  it("is cut at its limit, and broken characters are replaced", () => {
    expect(sanitizeText("x".repeat(20_000)).length).toBeLessThan(10_300);
    expect(sanitizeText("a\ud800")).toBe("a\ufffd");
  });

  it("loses the folders of this machine", () => {
    expect(removeFolderPaths("no /srv/iris/private/a.csv in /srv/iris", ["/srv/iris"])).toBe(
      "no private/a.csv in .",
    );
  });
});
