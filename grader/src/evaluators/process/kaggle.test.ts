import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { pythonWithPandas } from "../../../../scripts/lib/python-with-pandas.ts";
import { root } from "../../../../scripts/lib/root.ts";
import { openTestSandbox } from "../../testing/boxes.ts";
import { makeEvaluator } from "../../testing/evaluation.ts";

const python = pythonWithPandas();
if (!python) {
  const reason = "no python3 of this machine has pandas (Debian package python3-pandas)";
  if (process.env.CI === "true") throw new Error(`These tests must run in CI, and ${reason}.`);
  process.stderr.write(`SKIPPED (${reason})\n`);
}

/** A metric in Kaggle's form: mean absolute error, with what submissions may ask of it. */
const METRIC = `
import sys
import numpy as np
import pandas as pd

class ParticipantVisibleError(Exception):
    pass

class Unrelated(Exception):
    pass

ROWS = []

def score(solution: pd.DataFrame, submission: pd.DataFrame, row_id_column_name: str, returns: str = "float64") -> float:
    """Mean absolute error."""
    print("scoring", len(solution), file=sys.stdout)
    assert "Usage" not in solution.columns and "Usage" not in submission.columns
    assert list(solution[row_id_column_name]) == list(submission[row_id_column_name])
    assert list(solution.index) == list(submission.index) == list(range(len(solution)))
    del solution[row_id_column_name]
    del submission[row_id_column_name]
    if (submission["price"] == 666).any():
        raise ParticipantVisibleError("Prices of 666 are not allowed. " + "x" * 1000)
    if (submission["price"] == 13).any():
        raise Unrelated("the answers are " + str(list(solution["price"])))
    error = float((solution["price"] - submission["price"]).abs().mean())
    return {
        "float64": lambda: np.float64(error), "float32": lambda: np.float32(error),
        "nan": lambda: np.float64("nan"), "dict": lambda: {"mae": error}, "text": lambda: str(error),
        "none": lambda: None, "exit": lambda: sys.exit(0),
        "final": lambda: error if error < 10 else {"hidden": error},
    }[returns]()
`;

const SPLIT = "id,price,Usage\n1,10,Public\n2,20,Private\n3,30,Public\n4,40,Ignored\n5,50,Private\n";
const ALL = "id,price\nh1,10\nh2,20\n";

function metric(settings: object = {}, solution = ALL, text = METRIC) {
  return makeEvaluator(
    { kaggle: "score.py:score", solution: "private/solution.csv", row_id: "id", python, ...settings },
    { "score.py": text, "private/solution.csv": solution },
  );
}

const submitted = (text: string, name = "submission.csv") => ({ file: { name, text } });

describe.runIf(python)("a metric of Kaggle", () => {
  it("runs unchanged on rows in any order, and what it does to its frames does not last", async () => {
    const { run } = await metric();
    for (const id of ["one", "two"]) {
      const { verdict, stderr } = await run({ id, ...submitted("id,price\nh2,21\nh1,12\n") });
      expect(verdict).toMatchObject({ kind: "result", result: { score: 1.5, score_final: undefined } });
      expect(stderr).toContain("scoring 2");
    }
  });

  it("runs as in the example", async () => {
    const example = join(root, "examples/challenges/from-kaggle");
    const text = (name: string) => readFile(join(example, name), "utf8");
    const { evaluator } = JSON.parse(await text("challenge.json"));
    const files = {
      "score.py": await text("score.py"),
      "private/solution.csv": await text("private/solution.csv"),
    };
    const { run } = await makeEvaluator({ ...evaluator, python }, files);
    const { verdict } = await run(submitted(await text("public/sample_submission.csv")));
    expect(verdict).toMatchObject({ kind: "result", result: { score: 13, score_final: 24 } });
  });

  it("scores Public and Private rows of the solution, the latter as the final score", async () => {
    const { run } = await metric({}, SPLIT);
    const file = submitted("Usage,id,price\nx,5,54\nx,4,0\nx,003,33\nx,2.0,22\nx,1,11\n");
    const { verdict, stderr } = await run(file);
    expect(verdict).toMatchObject({ kind: "result", result: { score: 2, score_final: 3 } });
    const digits = await run(submitted(`id,price\n${"9".repeat(10_000)},1\n`));
    expect(digits.verdict).toMatchObject({
      kind: "rejected",
      message: expect.stringMatching(/missing[\s\S]*`9{100}…`/),
    });
    expect(stderr).not.toMatch(/\b3\.0\b/);
  });

  it("has its frame checked first, and all problems reported", async () => {
    const { run } = await metric();
    for (const [text, message] of [
      [
        "id,price\nh1,1\nh1,2\nh9,3\n,4\n",
        "1 rows have no id.\nThese ids occur more than once: `h1`.\nThese ids are missing: `h2`.\nThese ids are not of the challenge: `h9`.",
      ],
      [
        "id,price\nh1,\nh2,inf\n",
        "The column `price` has no value for these ids: `h1`.\nThe column `price` has an infinite value for these ids: `h2`.",
      ],
      ["ID,price\nh1,1\nh2,2\n", "The column `id` is missing. The file has `ID`, `price`."],
      ["id,price\nh1,1,\nh2,2,\n", "The rows have more values than the header has columns."],
      ["", expect.stringMatching(/^The file is not a CSV file in UTF-8: /)],
      ['id,price\nh1,"1\nh2,2\n', expect.stringMatching(/^The file is not a CSV file in UTF-8: /)],
      ["id,price\nh1,666\nh2,2\n", `Prices of 666 are not allowed. ${"x".repeat(280 - 31)}`],
    ] as const)
      expect((await run(submitted(text))).verdict).toEqual({ kind: "rejected", message });
    expect((await run({ input: { data: [1] } })).verdict).toEqual({
      kind: "rejected",
      message: "The metric reads a CSV file, and not a JSON value.",
    });
    expect((await run(submitted("id,price\nh1,10\nh2,20\n"))).verdict).toMatchObject({
      result: { score: 0 },
    });
  });

  it("shows participants no other exception", async () => {
    const { run } = await metric();
    const { verdict, stderr } = await run(submitted("id,price\nh1,13\nh2,1\n"));
    expect(verdict).toMatchObject({ kind: "failure", code: "evaluator_crashed" });
    expect(JSON.stringify(verdict)).not.toContain("answers");
    expect(stderr).toContain("the answers are [10, 20]");
  });

  it.each([
    ["float32", { kind: "result", result: { score: 0.5 } }],
    ["nan", { code: "evaluator_score", detail: "score is NaN or Infinity" }],
    ["dict", { code: "evaluator_score", detail: 'score is {"mae":0.5}' }],
    ["text", { code: "evaluator_score", detail: 'score is "0.5"' }],
    ["none", { code: "evaluator_score", detail: "score is missing" }],
    ["exit", { code: "evaluator_crashed", detail: "exit code 1" }],
  ])("may return %s, with arguments of the challenge", async (returns, verdict) => {
    const { run } = await metric({ args: { returns } });
    expect((await run(submitted("id,price\nh1,10\nh2,21\n"))).verdict).toMatchObject(verdict);
  });

  it("that returns no number for the Private rows fails without showing it", async () => {
    const { run } = await metric({ args: { returns: "final" } }, SPLIT);
    const { verdict, stderr } = await run(submitted("id,price\n1,10\n2,97\n3,30\n4,40\n5,127\n"));
    expect(verdict).toMatchObject({ code: "evaluator_score", detail: "score_final is not a number" });
    expect(stderr + JSON.stringify(verdict)).not.toContain("77");
  });

  it("gets empty values, or the submission as it is, where the challenge says so", async () => {
    const count =
      "def score(solution, submission, row_id_column_name): return len(submission) + submission.isna().sum().sum()";
    const { run } = await metric({ allow_empty: true }, ALL, count);
    expect((await run(submitted("id,price\nh1,\nh2,\n"))).verdict).toMatchObject({ result: { score: 4 } });
    const complete = await metric({ pass_complete_submission: true }, SPLIT, count);
    expect((await complete.run(submitted("id,price\n1,\n1,1\n9,inf\n"))).verdict).toMatchObject({
      result: { score: 4, score_final: 4 },
    });
  });

  it.each([
    ["another Usage", SPLIT.replace("Ignored", "Secret"), "but has `Secret`"],
    ["an id twice", "id,price\n1,1\n1,2\n", "with the same id"],
    ["no such column", "key,price\n1,1\n", "The column `id` is missing"],
  ])("whose solution has %s is the organizer's to fix", async (_, solution, log) => {
    const { verdict, stderr } = await (await metric({}, solution)).run(submitted(ALL));
    expect(verdict).toMatchObject({ kind: "failure", code: "evaluator_crashed" });
    expect(stderr).toContain(log);
  });
});

describe("a metric of Kaggle without pandas", () => {
  it("is the organizer's to fix, and the log says so", async () => {
    // Without its site folders, no Python finds installed packages.
    const bare =
      '#!/bin/sh\nexec python3 -I -S -c \'import runpy, sys; sys.argv = sys.argv[1:]; sys.path[0:0] = [sys.argv[0].rsplit("/", 1)[0]]; runpy.run_path(sys.argv[0], run_name="__main__")\' "$@"\n';
    const { run } = await makeEvaluator(
      { kaggle: "score.py:score", solution: "private/solution.csv", row_id: "id", python: "./bare.sh" },
      { "score.py": METRIC, "private/solution.csv": ALL, "bare.sh": bare },
    );
    const { verdict, stderr } = await run(submitted(ALL));
    expect(verdict).toMatchObject({ kind: "failure", code: "evaluator_crashed" });
    expect(stderr).toMatch(/A metric of Kaggle needs pandas, which .*python3.* cannot import/);
  });
});

const sandbox = await openTestSandbox();
afterAll(() => sandbox?.[Symbol.dispose]());

describe.runIf(sandbox && python)("a metric of Kaggle in a box", () => {
  it("finds pandas, the solution and the submission", async () => {
    const { run } = await makeEvaluator(
      {
        ...{ kaggle: "score.py:score", solution: "private/solution.csv", row_id: "id" },
        ...{ python: "/usr/bin/python3", sandbox: "bubblewrap" },
      },
      { "score.py": METRIC, "private/solution.csv": SPLIT },
      { sandbox: sandbox! },
    );
    const { verdict } = await run(submitted("id,price\n1,11\n2,22\n3,33\n4,0\n5,54\n"));
    expect(verdict).toMatchObject({ kind: "result", result: { score: 2, score_final: 3 } });
  });
});
