import { describe, expect, it } from "vitest";
import { fileNameProblem, foldedName, nameCollisions } from "./file-name.ts";

describe("a file name", () => {
  it.each([
    "a.csv",
    "a b/ü.csv",
    "-rf",
    "$(x)",
    "auxiliary.csv",
    "console",
    ".gitignore",
    "com.csv",
    "a.b.c",
    "😀.csv",
  ])("%j works everywhere", (name) => expect(fileNameProblem(name)).toBeNull());

  it.each([
    "aux.csv",
    "x/CON",
    "nul.tar.gz",
    "Com1.txt",
    "LPT\u00b9",
    "aux .csv",
    "",
    "a//b",
    "../a",
    "./a",
    "/a",
    "a\\b",
    "C:x",
    "a?b",
    'a"b',
    "a*",
    "a|b",
    "<a>",
    "ends.",
    "ends ",
    "ends./a",
    ".git/config",
    ".GIT",
    "git~1",
    ".g\u200cit",
    "a\nb",
    "a\u0000",
    "a\u2028b",
    "evil\u202evsc.exe",
    "\ud800",
    "x".repeat(256),
    `${"x/".repeat(61)}x`,
  ])("%j does not", (name) => expect(fileNameProblem(name)).toMatch(/^(it|its|git|Windows) /));

  it("is checked whole, also in a folder that has been checked", () => {
    const long = `${"x".repeat(250)}/`.repeat(3);
    const names = ["good/a", "good/con", "good/b", "con/a", "con/a", `${long}a`, `${long}${"x".repeat(250)}`];
    expect(names.map((name) => fileNameProblem(name) !== null)).toEqual([
      ...[false, true, false, true, true],
      ...[false, true],
    ]);
  });

  it.each([
    ["auxiliary~1/x-com1", null],
    ["lptx", null],
    ["x.git", null],
    ["git~x", null],
    ["x x.git", null],
    ["a.?", "its name has the character ?, which Windows does not allow"],
    ["git~12", "git reserves this name"],
    [".git:index", "git reserves this name"],
    [".", "its path leads to another folder"],
    ["a/..", "its path leads to another folder"],
    ["x".repeat(255), null],
    [`${"x".repeat(254)}ü`, "its name has more than 255 bytes"],
    [`${"x".repeat(253)}ü`, null],
    ["x".repeat(256), "its name has more than 255 bytes"],
    [`${"x/".repeat(59)}x`, null],
    [`${"x/".repeat(60)}x`, "it is more than 60 folders deep"],
    [`${"x".repeat(199)}/`.repeat(5).slice(0, -1), null],
    [`${"x".repeat(199)}/`.repeat(5), "its path leads to another folder"],
    [`${"x".repeat(199)}/`.repeat(5).concat("x"), "its path has more than 1000 bytes"],
  ])("%j has this problem: %s", (name, problem) => expect(fileNameProblem(name)).toBe(problem));

  it("is compared in small letters", () => {
    expect(foldedName("A/\u00dc")).toBe("a/\u00fc");
    // In capitals, these would be one.
    expect(foldedName("stra\u00dfe")).not.toBe(foldedName("strasse"));
  });

  it("collides with another in the first folder that holds both", () => {
    const collision = nameCollisions();
    expect(["New/a.csv", "New/A.csv", "New/b/c", "New/B/d", "new/b/c"].map(collision)).toEqual([
      ...[null, "New/a.csv", null, "New/b", "New"],
    ]);
  });

  it("collides with an earlier one that differs only in case or accents, in any folder", () => {
    const collision = nameCollisions();
    expect(["Data/a.csv", "Data/b.csv", "data/c.csv", "u\u0308", "\u00fc"].map(collision)).toEqual([
      null,
      null,
      "Data",
      null,
      "u\u0308",
    ]);
  });
});
