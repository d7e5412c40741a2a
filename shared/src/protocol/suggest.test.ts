import { describe, expect, it } from "vitest";
import { quoted, suggest } from "./suggest.ts";

describe("a suggestion", () => {
  it.each([
    ["irsi", "iris"],
    ["IRIS", "iris"],
    ["leaderbord", "leaderboard"],
  ])("for %s is %s", (word, wanted) => {
    expect(suggest(word, ["leaderboard", "iris", "wine"])).toBe(wanted);
  });

  it("is the nearest one", () => {
    expect(suggest("rounds", ["round", "rounds"])).toBe("rounds");
  });

  it("is the only word with this beginning, however long it is", () => {
    expect(suggest("timeout", ["timeout_seconds", "memory_mb"])).toBe("timeout_seconds");
    expect(suggest("score", ["score_of_round", "score_of_week"])).toBeNull();
    expect(suggest("ti", ["timeout_seconds"])).toBeNull();
  });

  it("is null when no word is close, and a short word is not close to every other", () => {
    expect(suggest("mushrooms", ["iris", "wine"])).toBeNull();
    expect(suggest("x", ["u", "id"])).toBeNull();
    expect(suggest("iris", [])).toBeNull();
  });

  it("is the first of several that are as near", () => {
    expect(suggest("wint", ["wine", "wind"])).toBe("wine");
  });

  it("needs three letters of a beginning", () => {
    expect(suggest("tim", ["timeout_seconds"])).toBe("timeout_seconds");
  });

  it("is looked for up to 200 letters", () => {
    const long = "x".repeat(200);
    expect(suggest(long, [`${long}y`])).toBe(`${long}y`);
    expect(suggest(`${long}x`, [`${long}y`])).toBeNull();
  });

  it("is null for a very long word", () => {
    expect(suggest("x".repeat(1_000_000), ["iris"])).toBeNull();
  });
});

describe("a quoted word", () => {
  it("is unchanged when it is harmless", () => {
    expect(quoted("größe 3")).toBe('"größe 3"');
  });

  it("is shortened when it is long", () => {
    expect(quoted("k".repeat(60))).toBe(`"${"k".repeat(60)}"`);
    expect(quoted("k".repeat(1000))).toBe(`"${"k".repeat(60)}…"`);
  });

  it("cannot move the cursor, break the line or change the direction of writing", () => {
    expect(quoted("a\u001b[2J\n\u202eb\u2028")).toBe('"a\\u001b[2J\\u000a\\u202eb\\u2028"');
  });
});
