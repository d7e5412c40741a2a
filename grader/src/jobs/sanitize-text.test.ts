import { describe, expect, it } from "vitest";
import { safeText, withoutFolders } from "./sanitize-text.ts";

describe("an evaluator's text", () => {
  it("keeps lines, tabs and letters of any script", () => {
    expect(safeText("Zeile 1\r\n\tсрока 2 ✓")).toBe("Zeile 1\n\tсрока 2 ✓");
  });

  it("cannot move a cursor, reorder text or end a line in secret", () => {
    expect(safeText("a\u001b[2J\u009b1m\u202eb\u2028c\rd\u0000")).toBe(
      "a\\u001b[2J\\u009b1m\\u202eb\\u2028c\\u000dd\\u0000",
    );
  });

  it("is cut at its limit, and broken characters are replaced", () => {
    expect(safeText("x".repeat(20_000)).length).toBeLessThan(10_300);
    expect(safeText("a\ud800")).toBe("a\ufffd");
  });

  it("loses the folders of this machine", () => {
    expect(withoutFolders("no /srv/iris/private/a.csv in /srv/iris", ["/srv/iris"])).toBe(
      "no private/a.csv in .",
    );
  });
});
