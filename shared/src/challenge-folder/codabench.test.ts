import { describe, expect, it } from "vitest";
import { commandIn } from "./codabench-metadata.ts";
import { loadChallengeFolder } from "./load-challenge-folder.ts";
import { createTestChallenge, problemsOf } from "./testing/test-folder.ts";

const COMMAND = "command: python3 $program/score.py $input $output\n";
const FILES = { "program/metadata": COMMAND, "private/ref/a.csv": "1", "program/score.py": "import sys\n" };
const make = (evaluator: object, files: Record<string, string> = {}) =>
  createTestChallenge(
    { evaluator: { codabench: "program/", reference: "private/ref", ...evaluator } },
    { ...FILES, ...files },
  );
const refused = async (evaluator: object, files: Record<string, string> = {}) =>
  (await problemsOf(loadChallengeFolder(await make(evaluator, files)))).lines.join("\n");

describe("a challenge with a scoring program of Codabench", () => {
  it("names the program and the reference data, for all rounds or for each", async () => {
    const { config } = await loadChallengeFolder(await make({ reference: { 1: "private/ref/a.csv" } }));
    expect(config.evaluator).toMatchObject({ reference: { 1: "private/ref/a.csv" }, detailed_results: true });
    await loadChallengeFolder(await make({ metrics: ["a", "b"] }));
  });

  it.each([
    [{ codabench: "none/" }, 'evaluator.codabench: expected a folder of the challenge folder, got "none/"'],
    [{ codabench: "../program" }, "which leads out of it"],
    [
      { codabench: "private/ref" },
      'such as "command: python3 $program/score.py $input $output", got no such file',
    ],
    [{ reference: "private/none" }, "evaluator.reference: expected a file or folder of the challenge folder"],
    [
      { reference: { 1: "/etc" } },
      "evaluator.reference.1: expected a file or folder of the challenge folder",
    ],
    [{ metric: "a", metrics: ["b"] }, 'expected "metric" or "metrics", not both'],
    [{ metrics: [] }, "evaluator.metrics: expected a non-empty list"],
    [{ referense: "x" }, 'did you mean "reference"'],
  ])("is refused with %j", async (evaluator, text) => {
    expect(await refused(evaluator)).toContain(text);
  });

  it("may not show its reference data to participants", async () => {
    expect(await refused({ reference: "public/ref" }, { "public/ref/a.csv": "1" })).toContain(
      "evaluator.reference: expected a place outside public/, which everyone can download",
    );
  });

  it("needs a command in its metadata", async () => {
    expect(await refused({}, { "program/metadata": "description: none" })).toContain(
      'got "metadata" without a command',
    );
  });

  it("needs a box when its code names a folder of Codabench's containers", async () => {
    const files = { "program/lib/paths.py": '# not "/app/input"\nINPUT = "/app/input"\n' };
    expect(await refused({}, files)).toContain(
      'evaluator.sandbox: expected "bubblewrap", because line 2 of "program/lib/paths.py" names /app/input, which exists only in a box',
    );
    await loadChallengeFolder(await make({ sandbox: "bubblewrap" }, files));
    await loadChallengeFolder(
      await make({}, { "program/metadata": "command: python3 /app/program/score.py" }),
    );
  });
});

describe("the command of a metadata file", () => {
  it.each([
    ["command: python score.py", "python score.py"],
    ["\ufeffdescription: x\r\ncommand:   python score.py  \r\n", "python score.py"],
    ["command: 'it''s' # a comment", "it's"],
    ['command: "python \\"a b\\""', 'python "a b"'],
    ["command: python a.py # a comment\nother: 1", "python a.py"],
    ["command: |\n  python a.py\n  --all\n", "python a.py --all"],
    ["command:\n    python a.py\n\n", "python a.py"],
    ["command:", null],
    ["commands: x", null],
    ["", null],
  ])("of %j is %j", (text, command) => {
    expect(commandIn(text)).toBe(command);
  });
});
