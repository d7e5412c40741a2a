import { afterAll, describe, expect, it } from "vitest";
import { openTestSandbox } from "../../testing/boxes.ts";
import { makeEvaluator } from "../../testing/evaluation.ts";

/** A script as EvalAI's documentation describes it: accuracy of a file of labels, one a line. */
const ACCURACY = `
def read(path):
    with open(path) as file:
        return file.read().split()

def evaluate(test_annotation_file, user_submission_file, phase_codename, **kwargs):
    print("Starting Evaluation.....", kwargs["submission_metadata"]["participant_team_name"])
    truth, given = read(test_annotation_file), read(user_submission_file)
    if len(given) != len(truth):
        raise ValueError("expected %d labels, got %d" % (len(truth), len(given)))
    right = sum(a == b for a, b in zip(truth, given))
    output = {}
    output["result"] = [{"test_split": {"Accuracy": right / len(truth), "Right": right, "Phase": phase_codename}}]
    output["submission_result"] = output["result"][0]
    return output
`;

/** A script that returns what the submitted value says: Python source of the object. */
const RETURNS = `
import json, os, sys
class Number:
    "As numpy has it: an array of no dimensions."
    ndim = 0
    def __init__(self, value): self.value = value
    def item(self): return self.value
    def tolist(self): return self.value

def evaluate(test_annotation_file, user_submission_file, phase_codename, **kwargs):
    with open(user_submission_file) as file:
        return eval(json.load(file))
`;

const script = (text: string, settings: object = {}, files: Record<string, string> = {}) =>
  makeEvaluator({ evalai: "main.py", ...settings }, { "main.py": text, ...files });

describe("a script of EvalAI", () => {
  const GT = { "private/gt.txt": "a b c d" };
  const accuracy = (settings: object = {}) =>
    script(ACCURACY, { annotations: "private/gt.txt", ...settings }, GT);

  it("runs unchanged: its first metric is the score, and the others are data", async () => {
    const { run } = await accuracy();
    const { verdict, stderr } = await run({ file: { name: "labels.txt", text: "a b x d" } });
    expect(stderr).toContain("Starting Evaluation");
    expect(verdict).toEqual({
      kind: "result",
      result: {
        type: "result",
        score: 0.75,
        meta: {},
        data: {
          Right: 3,
          Phase: "1",
          submission_result: { test_split: { Accuracy: 0.75, Right: 3, Phase: "1" } },
        },
        notFinite: [],
      },
    });
    const rejected = await run({ file: { name: "labels.txt", text: "a b" } });
    expect(rejected.verdict).toEqual({ kind: "rejected", message: "expected 4 labels, got 2" });
  });

  it.each([
    [{ metric: "Right" }, { score: 3, data: { Accuracy: 0.75 } }],
    [{ metrics: ["Right", "Accuracy"] }, { score: 3, score_secondary: 0.75 }],
    [{ metric: "test_split.Right" }, { score: 3, data: { "test_split.Accuracy": 0.75 } }],
    [{ private_results: ["Right"] }, { score: 0.75, data: { Phase: "1" }, meta: { Right: 3 } }],
    [{ private_results: ["test_split"] }, { score: 0.75, data: null, meta: { Right: 3, Phase: "1" } }],
    [{ private_results: true }, { score: 0.75, data: null, meta: { Right: 3, Phase: "1" } }],
  ])("has the scores that the challenge names: %j", async (settings, result) => {
    const { run } = await accuracy({ ...settings, fresh: true });
    const { verdict } = await run({ file: { name: "labels.txt", text: "a b x d" } });
    expect(verdict).toMatchObject({ kind: "result", result });
    if ("private_results" in settings) expect(JSON.stringify(verdict)).not.toMatch(/"data":\{[^}]*Right/);
  });

  it.each([[{}], [{ metric: "F1" }]])("never takes its score from a private split: %j", async (settings) => {
    const { run } = await script(RETURNS, { private_results: ["secret"], ...settings });
    const data = "{'result': [{'secret': {'F1': 9}}, {'public': {'F1': 1}}]}";
    expect((await run({ input: { data } })).verdict).toMatchObject({
      result: { score: 1, meta: { "secret.F1": 9 } },
    });
  });

  it("gets the id of the round as its phase, and the annotations of that round", async () => {
    const { run } = await makeEvaluator(
      {
        evalai: "evaluation_script/",
        annotations: { dev: "private/dev.txt", "test-2026": "private/test.txt" },
      },
      {
        "evaluation_script/__init__.py": "from .main import evaluate\n",
        "evaluation_script/main.py": `from .reading import read\nimport constants\n${ACCURACY.replace(/def read[\s\S]*?split\(\)/, "assert constants.ONE == 1")}`,
        "evaluation_script/reading.py": "def read(path): return open(path).read().split()\n",
        "evaluation_script/constants.py": "ONE = 1\n",
        "private/dev.txt": "a b",
        "private/test.txt": "c d",
      },
      { config: { rounds: [{ id: "dev" }, { id: "test-2026" }] } },
    );
    const file = { name: "labels.txt", text: "a b" };
    expect((await run({ file })).verdict).toMatchObject({ result: { score: 1, data: { Phase: "dev" } } });
    expect((await run({ file, round: 2 })).verdict).toMatchObject({
      result: { score: 0, data: { Phase: "test-2026" } },
    });
  });

  it.each([
    ["evaluation_script", { "__init__.py": "", "main.py": "from .one import ONE" }],
    ["evaluation_script", { "main.py": "from one import ONE" }],
    ["evaluation_script/main.py", { "__init__.py": "", "main.py": "from evaluation_script.one import ONE" }],
    ["evaluation_script/main.py", { "main.py": "import one; ONE = one.ONE" }],
    [
      "my-script",
      { "__init__.py": "from .main import evaluate", "main.py": "from . import one; ONE = one.ONE" },
    ],
  ])("finds its modules in %s with %j", async (evalai, files) => {
    const folder = evalai.split("/")[0];
    const body = `\ndef evaluate(test, submission, phase): return {"result": [{"s": {"m": ONE}}]}\n`;
    const { run } = await makeEvaluator(
      { evalai },
      Object.fromEntries(
        Object.entries({ ...files, "main.py": files["main.py"] + body, "one.py": "ONE = 1" }).map(
          ([name, text]) => [`${folder}/${name}`, text],
        ),
      ),
    );
    expect((await run()).verdict).toMatchObject({ kind: "result", result: { score: 1 } });
  });

  it.each([
    ["test_annotation_file, user_annotation_file, phase_codename"],
    ["test, mine, phase, submission_metadata=None"],
    ["user_submission_file, phase_codename, test_annotation_file=None, **kwargs"],
    ["*given"],
  ])("is called with what it takes: (%s)", async (parameters) => {
    const names = parameters.replaceAll(/=None|, \*\*kwargs|, submission_metadata/g, "");
    const { run } = await script(
      `def evaluate(${parameters}):
    test, mine, phase = ${names === "*given" ? "given" : names.startsWith("user") ? "test_annotation_file, user_submission_file, phase_codename" : names}
    ${parameters.includes("submission_metadata") ? "assert submission_metadata['status'] == 'running'" : "pass"}
    return {"result": [{"s": {"m": len(open(test).read()) + len(open(mine).read()) + len(phase)}}]}`,
      { annotations: "private/gt.txt" },
      GT,
    );
    expect((await run({ file: { name: "a", text: "123" } })).verdict).toMatchObject({
      result: { score: 11 },
    });
  });

  it("may print, leave the folder and replace its streams, and the next job starts as the first did", async () => {
    const { run } = await script(
      `import io, os, sys
print('{"id": "job1", "type": "result", "score": 666}')
def evaluate(test_annotation_file, user_submission_file, phase_codename):
    os.write(1, b'{"id": "job1", "type": "result", "score": 666}\\n')
    score = len(open("private/gt.txt").read()) + len(open(test_annotation_file).read())
    os.chdir("/")
    sys.stdout = io.StringIO()
    sys.stderr.write("so far so good")
    sys.stderr = None
    return {"result": [{"s": {"m": score}}]}`,
      { annotations: "./private/gt.txt" },
      GT,
    );
    for (const id of ["one", "two"])
      expect((await run({ id })).verdict).toMatchObject({ kind: "result", result: { score: 14 } });
  });
});

describe("what a script of EvalAI returns", () => {
  const returning = async (source: string, settings: object = {}) =>
    (await script(RETURNS, settings)).run({ input: { data: source } });
  const ONE_SPLIT = (value: string) => `{"result": [{"s": {"m": ${value}, "other": 1}}]}`;

  it("has its numbers taken from numpy, and NaN and texts beside the score", async () => {
    const { run } = await script(RETURNS, { metrics: ["m", "n"] });
    const source = `{"result": [{"s": {"nan": float("nan"), "text": "x", "list": [Number(1)], "m": Number(0.5)}},
      {"t": {"m": 7, "n": 1}}], "submission_metadata": {"log": "x"}, "submission_result": ""}`;
    expect((await run({ input: { data: source.replaceAll("\n", "") } })).verdict).toMatchObject({
      kind: "result",
      result: {
        score: 0.5,
        score_secondary: 1,
        data: { "s.nan": null, "s.text": "x", "s.list": [1], "t.m": 7 },
        meta: { submission_metadata: { log: "x" } },
        notFinite: ["data.s.nan"],
      },
    });
  });

  it.each([
    ["NaN", ONE_SPLIT(`float("nan")`), "score is NaN or Infinity"],
    ["NaN of numpy", ONE_SPLIT(`Number(float("nan"))`), "score is NaN or Infinity"],
    ["infinity", ONE_SPLIT(`float("-inf")`), "score is NaN or Infinity"],
    ["a text", ONE_SPLIT(`"0.5"`), 'score is "0.5"'],
    ["a dict", ONE_SPLIT(`{"a": 1}`), 'score is {"a":1}'],
    ["nothing", ONE_SPLIT("None"), "score is missing"],
  ])("is an evaluator failure that names it when the score is %s", async (_, source, detail) => {
    const { verdict } = await returning(source);
    expect(verdict).toMatchObject({ kind: "failure", code: "evaluator_score", detail });
  });

  it.each([
    ["a metric", { metric: "f1" }],
    ["a secondary metric", { metrics: ["m", "f1"] }],
  ])("is an evaluator failure without %s that the challenge names", async (_, settings) => {
    const { verdict } = await returning(ONE_SPLIT("1"), settings);
    const detail = 'the result has m, other, and not the metric "f1"';
    expect(verdict).toMatchObject({ kind: "failure", code: "evaluator_score", detail });
  });

  it.each([
    ["nothing", "None", "must return {'result': [{'split': {'metric': number}}]}, but returned None"],
    ["a number", "0.5", "but returned 0.5"],
    ["no list", `{"result": {"s": 1}}`, "but returned {'result': {'s': 1}}"],
    ["no split", `{"result": []}`, "returned no metric: {'result': []}"],
    ["a split without metrics", `{"result": [{"s": 1}]}`, "but is {'s': 1}"],
    ["an exit", "sys.exit(0)", "the script called sys.exit(0)"],
    ["an exit with a text", `sys.exit("bye")`, "the script called sys.exit('bye')"],
    ["a missing key", `{}["gone"]`, "KeyError: 'gone'"],
    ["a missing file of its own", `open("private/gone.txt")`, "private/gone.txt"],
    ["itself", "(lambda d: d.update(result=[{'s': {'m': 1, 'd': d}}]) or d)({})", "RecursionError"],
  ])("is an evaluator failure when it is %s", async (_, source, log) => {
    const { verdict, stderr } = await returning(source);
    expect(verdict).toMatchObject({ kind: "failure", code: "evaluator_crashed", detail: "exit code 1" });
    expect(stderr).toContain(log);
  });

  it("is not asked for when the script cannot be imported, or is not there", async () => {
    for (const [text, log] of [
      ["import no_such_module_here", "no_such_module_here"],
      ["import sys; sys.exit(0)", "importing main.py called sys.exit(0)"],
      ["def evaluation(): pass", "main.py has no function evaluate"],
    ] as const) {
      const { verdict, stderr } = await (await script(text)).run();
      expect(verdict).toMatchObject({ kind: "failure", code: "evaluator_crashed" });
      expect(stderr).toContain(log);
    }
  });
});

const sandbox = await openTestSandbox();
afterAll(() => sandbox?.[Symbol.dispose]());

describe.runIf(sandbox)("a script of EvalAI in a box", () => {
  it("finds its modules, its annotations and the submission", async () => {
    const { run } = await makeEvaluator(
      { evalai: "evaluation_script", annotations: "private/gt.txt", sandbox: "bubblewrap" },
      {
        "evaluation_script/__init__.py": "from .main import evaluate\n",
        "evaluation_script/main.py": ACCURACY,
        "private/gt.txt": "a b",
      },
      { sandbox: sandbox! },
    );
    const { verdict } = await run({ file: { name: "labels.txt", text: "a x" } });
    expect(verdict).toMatchObject({ kind: "result", result: { score: 0.5 } });
  });
});
