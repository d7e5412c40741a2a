import { describe, expect, it } from "vitest";
import { loadChallengeFolder } from "./load-challenge-folder.ts";
import { namedMetrics } from "./metric-fields.ts";
import { createTestChallenge, MINIMAL, problemsOf } from "./testing/test-folder.ts";

const FILES = {
  "main.py": "",
  "notes.txt": "",
  "script/main.py": "",
  "package/__init__.py": "",
  "empty/readme.md": "",
  "private/gt.txt": "a",
  "public/gt.txt": "a",
};

async function problems(evaluator: object, more: object = {}): Promise<string[]> {
  const dir = await createTestChallenge({ ...MINIMAL, evaluator, ...more }, FILES);
  const { lines } = await problemsOf(loadChallengeFolder(dir));
  return lines.map((line) => line.replace(/^ {2}challenge\.json: /, ""));
}

const EVALAI = { evalai: "main.py", annotations: "private/gt.txt" };

describe("an evaluator of EvalAI in challenge.json", () => {
  it.each(["main.py", "script", "script/", "package", "script/main.py"])("is %s", async (evalai) => {
    const dir = await createTestChallenge({ ...MINIMAL, evaluator: { ...EVALAI, evalai } }, FILES);
    const { config } = await loadChallengeFolder(dir);
    expect(config.evaluator).toEqual({
      ...{ evalai, annotations: "private/gt.txt", private_results: [], python: "python3", fresh: false },
      ...{ functions: ["submit"], timeout_seconds: 600, memory_mb: null, sandbox: "none" },
    });
  });

  it("has annotations for all rounds, or for each", async () => {
    const rounds = [{ id: "dev" }, { id: "test" }];
    const annotations = { dev: "private/gt.txt", test: "private/gt.txt" };
    const config = { ...MINIMAL, rounds, evaluator: { ...EVALAI, annotations } };
    await loadChallengeFolder(await createTestChallenge(config, FILES));
    expect(
      await problems({ ...EVALAI, annotations: { dev: "private/gt.txt", tset: "gone" } }, { rounds }),
    ).toEqual([
      'evaluator.annotations.tset: expected the id of a round ("dev", "test"), got "tset"',
      "evaluator.annotations.test: expected a file for this round, got none",
      'evaluator.annotations.tset: expected a file of the challenge folder, got "gone", which does not exist',
    ]);
  });

  it.each<[object, string]>([
    [
      { evalai: "gone.py" },
      'evaluator.evalai: expected a file or folder of the challenge folder, got "gone.py", which does not exist',
    ],
    [
      { evalai: "../main.py" },
      'evaluator.evalai: expected a file or folder of the challenge folder, got "../main.py", which leads out of it',
    ],
    [{ evalai: "notes.txt" }, 'evaluator.evalai: expected a Python file or a folder, got "notes.txt"'],
    [
      { evalai: "empty" },
      'evaluator.evalai: expected a folder with __init__.py or main.py, got "empty", which has neither',
    ],
    [{ evalai: 3 }, "evaluator.evalai: expected non-empty text, got 3"],
    [
      { annotations: "private" },
      'evaluator.annotations: expected a file of the challenge folder, got "private", which is a folder',
    ],
    [
      { annotations: "public/gt.txt" },
      'evaluator.annotations: expected a file outside of public/, which participants download, got "public/gt.txt"',
    ],
    [{ metrics: [] }, "evaluator.metrics: expected a non-empty list, got an empty list"],
    [
      { metric: "f1", metrics: ["f1"] },
      'evaluator.metrics: expected "metric" or "metrics", not both, got a list',
    ],
    [{ metrc: "f1" }, 'evaluator.metrc: expected a known field; did you mean "metric"?'],
    [
      { args: [] },
      "evaluator.args: expected a known field (evalai, annotations, metric, metrics, private_results, python, fresh, functions, timeout_seconds, memory_mb, sandbox)",
    ],
  ])("is refused with %j", async (evaluator, line) => {
    expect(await problems({ ...EVALAI, ...evaluator })).toEqual([line]);
  });

  it("knows no function but submit", async () => {
    expect(await problems({ ...EVALAI, functions: ["submit", "evaluate"] })).not.toEqual([]);
    expect(await problems(EVALAI, { check: { function: "check" } })).toEqual([
      'check.function: expected an evaluator with functions of its own, got "evalai"',
    ]);
    expect(await problems(EVALAI, { environment: {} })).toEqual([
      'evaluator: expected an environment: {"gym": …}, or {"command": …, "mode": "environment"}, got "evalai"',
    ]);
  });

  it("names the metrics that are the scores", () => {
    expect(namedMetrics({})).toEqual([]);
    expect(namedMetrics({ metric: "f1" })).toEqual(["f1"]);
    expect(namedMetrics({ metrics: ["f1", "loss"] })).toEqual(["f1", "loss"]);
  });
});

const KAGGLE = { kaggle: "main.py:score", solution: "private/gt.txt", row_id: "id" };

describe("a metric of Kaggle in challenge.json", () => {
  it("needs a function, a solution and the column of ids", async () => {
    const dir = await createTestChallenge({ ...MINIMAL, evaluator: KAGGLE }, FILES);
    const { config } = await loadChallengeFolder(dir);
    expect(config.evaluator).toEqual({
      ...{ ...KAGGLE, args: {}, allow_empty: false, pass_complete_submission: false },
      ...{ python: "python3", fresh: false, functions: ["submit"] },
      ...{ timeout_seconds: 600, memory_mb: null, sandbox: "none" },
    });
    expect(await problems({ kaggle: "main.py:score" })).toEqual([
      "evaluator.solution: expected non-empty text, got nothing",
      "evaluator.row_id: expected non-empty text, got nothing",
    ]);
  });

  it.each<[object, string]>([
    [
      { kaggle: "main.py" },
      'evaluator.kaggle: expected a file and a function, such as "score.py:score", got "main.py"',
    ],
    [
      { kaggle: "gone.py:score" },
      'evaluator.kaggle: expected a file in the challenge folder, got "gone.py", which does not exist',
    ],
    [
      { solution: "gone.csv" },
      'evaluator.solution: expected a file of the challenge folder, got "gone.csv", which does not exist',
    ],
    [
      { solution: "./public/gt.txt" },
      'evaluator.solution: expected a file outside of public/, which participants download, got "./public/gt.txt"',
    ],
    [
      { metric: "f1" },
      "evaluator.metric: expected a known field (kaggle, solution, row_id, args, allow_empty, pass_complete_submission, python, fresh, functions, timeout_seconds, memory_mb, sandbox)",
    ],
  ])("is refused with %j", async (evaluator, line) => {
    expect(await problems({ ...KAGGLE, ...evaluator })).toEqual([line]);
  });

  it("reads one CSV file", async () => {
    expect(await problems(KAGGLE, { accepts: { json: {}, file: { unpack: true } } })).toEqual([
      "accepts.json: expected no such field, because the metric reads a CSV file",
      "accepts.file.unpack: expected false, because the metric reads a CSV file, got true",
    ]);
  });
});
