import { describe, expect, it } from "vitest";
import { fileName } from "./job-input.ts";

describe("the name of a submitted file in the workspace", () => {
  it.each([
    ["predictions.csv", "predictions.csv"],
    ["model.tar.gz", "model.tar.gz"],
    ["../../etc/passwd", "passwd"],
    ["C:\\data\\p.csv", "p.csv"],
    ["a b\n\u202e.csv", "a_b__.csv"],
    ["--help.csv", "help.csv"],
    ["..", "input"],
    ["", "input"],
    [null, "input"],
    [`${"x".repeat(4096)}.csv`, `${"x".repeat(96)}.csv`],
  ])("of %j is %s", (name, expected) => {
    expect(fileName(name)).toBe(expected);
  });
});
