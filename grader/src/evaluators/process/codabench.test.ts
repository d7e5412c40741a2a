import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openTestSandbox } from "../../testing/boxes.ts";
import { makeEvaluator } from "../../testing/evaluation.ts";

/** A scoring program as Codabench runs it: it reads $input/ref and $input/res, and writes scores.json. */
const SCORE = `
import json, os, sys
input_dir, output_dir = sys.argv[1], sys.argv[2]
def read(*path):
    with open(os.path.join(input_dir, *path)) as file:
        return dict(line.strip().split(",") for line in file if line.strip())
truth, given = read("ref", "truth.csv"), read("res", "predictions.csv")
right = sum(given.get(key) == value for key, value in truth.items())
print("scored", right)
with open(os.path.join(output_dir, "scores.json"), "w") as file:
    json.dump({"accuracy": right / len(truth), "right": right, "total": len(truth)}, file)
with open(os.path.join(output_dir, "detailed_results.html"), "w") as file:
    file.write("<h1>Wrong rows</h1>")
`;
const FILES = {
  "program/metadata": "command: python3 $program/score.py $input $output\ndescription: compares two files\n",
  "program/score.py": SCORE,
  "private/reference/truth.csv": "a,1\nb,2\n",
};
const SUBMITTED = { file: { name: "predictions.csv", text: "a,1\nb,3\n" } };

const serve = (evaluator: object = {}, files: Record<string, string> = {}) =>
  makeEvaluator(
    { codabench: "program/", reference: "private/reference", ...evaluator },
    { ...FILES, ...files },
  );
/** Runs a program that does what the statements say. */
const program = (statements: string, evaluator: object = {}) =>
  serve(evaluator, { "program/score.py": `import json, os, sys\nout = sys.argv[2]\n${statements}\n` });
const scoresTxt = (text: string) => program(`open(out + "/scores.txt", "w").write(${JSON.stringify(text)})`);

describe("a scoring program of Codabench", () => {
  it("runs unchanged, and its first score is the score", async () => {
    const { run, dir } = await serve();
    const { verdict, stderr, workspace } = await run(SUBMITTED);
    expect(verdict).toMatchObject({
      kind: "result",
      result: {
        score: 0.5,
        data: { right: 1, total: 2 },
        artifacts: [{ path: "detailed_results.html", name: "detailed_results.html" }],
      },
    });
    expect(verdict).not.toHaveProperty("result.score_secondary", expect.any(Number));
    expect(stderr).toContain("scored 1");
    expect(await readFile(join(workspace, "output/detailed_results.html"), "utf8")).toContain("Wrong rows");
    expect(await readFile(join(dir, "program/score.py"), "utf8")).toBe(SCORE);
  });

  it.each([
    [{ metric: "right" }, { score: 1, data: { accuracy: 0.5, total: 2 } }],
    [{ private_results: ["total"] }, { score: 0.5, data: { right: 1 }, meta: { total: 2 } }],
    [{ metrics: ["total", "accuracy"] }, { score: 2, score_secondary: 0.5, data: { right: 1 } }],
  ])("has the scores that %j names", async (names, expected) => {
    expect((await (await serve(names)).run(SUBMITTED)).verdict).toMatchObject({ result: expected });
  });

  it("keeps detailed results from participants when challenge.json says so", async () => {
    const { verdict } = await (await serve({ detailed_results: false })).run(SUBMITTED);
    expect(verdict).not.toHaveProperty("result.artifacts");
  });

  it("finds a JSON value as a file, with all its digits", async () => {
    const { run } = await program(`
text = open(sys.argv[1] + "/res/submission.json").read()
json.dump({"score": 1, "text": text}, open(out + "/scores.json", "w"))`);
    const { verdict } = await run({ input: { data: { x: 0.1 } } });
    expect(verdict).toMatchObject({ result: { data: { text: '{"x":0.1}' } } });
  });

  it("finds the reference data of its round", async () => {
    const { run } = await makeEvaluator(
      { codabench: "program", reference: { 1: "private/dev" } },
      {
        ...FILES,
        "private/dev/deep/truth.csv": "7",
        "program/score.py": `import json, os, sys
found = [os.path.join(folder, name) for folder, _, names in os.walk(sys.argv[1]) for name in names]
json.dump({"n": len(found)}, open(sys.argv[2] + "/scores.json", "w"))`,
      },
    );
    const score = async (round: number) => (await run({ ...SUBMITTED, round })).verdict;
    expect(await score(1)).toMatchObject({ result: { score: 2 } });
    expect(await score(2)).toMatchObject({ result: { score: 1 } });
  });

  it("may write into its own folder, which is a copy", async () => {
    const { run, dir } = await program(`
open("cache.txt", "w").write("x"); open(os.path.dirname(__file__) + "/more.txt", "w").write("x")
json.dump({"s": os.path.samefile(os.getcwd(), os.path.dirname(__file__))}, open(out + "/scores.json", "w"))
json.dump({"s": 3}, open(out + "/scores.json", "w"))`);
    expect((await run(SUBMITTED)).verdict).toMatchObject({ result: { score: 3 } });
    await expect(readFile(join(dir, "program/cache.txt"))).rejects.toThrow("ENOENT");
  });

  it.each([
    ["command: python $program/score.py $input $output"],
    ["command: python3 /app/program/score.py /app/input /app/output"],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the metadata file.
    ["description: d\ncommand: 'python3 ${program}/score.py ${input} ${output}'"],
    ["command: >\n  python3 $ingestion_program/score.py\n  $input $output\nother: 1"],
    ['command: "python3 score.py $input $output" # a comment'],
  ])("starts as its metadata say: %s", async (text) => {
    const { run } = await serve({}, { "program/metadata.yaml": text, "program/metadata": "command: none" });
    expect((await run(SUBMITTED)).verdict).toMatchObject({ result: { score: 0.5 } });
  });
});

describe("scores.txt", () => {
  it.each([
    ["accuracy: 0.75\nf1: 1e-3\n", { score: 0.75, data: { f1: 0.001 } }],
    [
      "# scores\n'set 1': 12\nname: the first: one\nempty:\nok: True",
      {
        score: 12,
        data: { name: "the first: one", empty: null, ok: true },
      },
    ],
    ["s: 1\nt: nan\nu: -.inf", { score: 1, data: { t: null, u: null }, notFinite: ["data.t", "data.u"] }],
    ["s:0.5\nF1 :-1e2\nset:b: 3\nsee http://x", { score: 0.5, data: { F1: -100, "set:b": 3 } }],
    ['{"s": 2}', { score: 2 }],
  ])("is read: %j", async (text, expected) => {
    expect((await (await scoresTxt(text)).run(SUBMITTED)).verdict).toMatchObject({ result: expected });
  });

  it.each([
    ["s: nan", "evaluator_score", "score is NaN"],
    ["s: high", "evaluator_score", 'score is "high"'],
    ["nothing here", "evaluator_crashed", ""],
    ["", "evaluator_crashed", ""],
  ])("%j fails as the evaluator's fault", async (text, code, detail) => {
    const { verdict } = await (await scoresTxt(text)).run(SUBMITTED);
    expect(verdict).toMatchObject({ kind: "failure", code, detail: expect.stringContaining(detail) });
  });
});

describe("a scoring program that fails", () => {
  it.each([
    ["pass", "evaluator_crashed", "wrote neither scores.json nor scores.txt"],
    ["raise ValueError('bad row')", "evaluator_crashed", "ValueError: bad row"],
    ["sys.exit(3)", "evaluator_crashed", "ended with code 3"],
    ["open(out + '/scores.json', 'w').write('{')", "evaluator_crashed", "scores.json is not JSON"],
    ["open(out + '/scores.json', 'w').write('[1]')", "evaluator_crashed", "is not an object"],
    ["open(out + '/scores.json', 'w').write('{}')", "evaluator_crashed", "names no scores"],
  ])("is the evaluator's fault: %s", async (statements, code, log) => {
    const { verdict, stderr } = await (await program(statements)).run(SUBMITTED);
    expect(verdict).toMatchObject({ kind: "failure", code });
    expect(stderr).toContain(log);
    expect(JSON.stringify(verdict)).not.toContain("bad row");
  });

  it("is one whose scores lack the metric that challenge.json names", async () => {
    const { verdict } = await (await serve({ metric: "f1" })).run(SUBMITTED);
    expect(verdict).toMatchObject({
      code: "evaluator_score",
      detail: 'the result has accuracy, right, total, and not the metric "f1"',
    });
  });

  it("is one that cannot be started", async () => {
    const { run } = await serve({}, { "program/metadata": "command: no-such-program $input" });
    const { verdict, stderr } = await run(SUBMITTED);
    expect(verdict).toMatchObject({ code: "evaluator_crashed" });
    expect(stderr).toContain("cannot be started");
  });
});

const sandbox = await openTestSandbox();
afterAll(() => sandbox?.[Symbol.dispose]());

describe.runIf(sandbox)("a scoring program in a box", () => {
  it("finds the folders that Codabench's containers have", async () => {
    const { run } = await makeEvaluator(
      { codabench: "program", reference: "private/reference", sandbox: "bubblewrap" },
      {
        ...FILES,
        "program/metadata": "command: python3 /app/program/score.py",
        "program/score.py": SCORE.replace("sys.argv[1], sys.argv[2]", '"/app/input", "/app/output"'),
      },
      { sandbox: sandbox! },
    );
    const { verdict, stderr, workspace } = await run(SUBMITTED);
    expect(stderr).toContain("scored 1");
    expect(verdict).toMatchObject({ result: { score: 0.5, artifacts: [{ path: "detailed_results.html" }] } });
    expect(await readFile(join(workspace, "output/detailed_results.html"), "utf8")).toContain("Wrong rows");
    expect((await run(SUBMITTED)).verdict).toMatchObject({ result: { score: 0.5 } });
  });
});
