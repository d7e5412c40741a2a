import { describe, expect, it } from "vitest";
import { fileNameProblem, nameCollisions } from "./file-name.ts";

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
