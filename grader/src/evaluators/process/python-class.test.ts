import { ExactNumber, parseExact, stringifyExact } from "@crowdai/shared";
import { describe, expect, it } from "vitest";
import { makeEvaluator } from "../../testing/evaluation.ts";

/** A typical crowdAI evaluator: it reads its answers in the constructor, and prints. */
const CROWDAI = `
import csv

class CrowdAIEvaluator:
    def __init__(self, answer_file_path, round=1):
        print("reading answers")
        with open(answer_file_path) as file:
            self.answers = dict(csv.reader(file))
        self.round = round

    def _evaluate(self, client_payload, _context={}):
        submission_file_path = client_payload["submission_file_path"]
        crowdai_submission_id = client_payload["crowdai_submission_id"]
        crowdai_participant_uid = client_payload["crowdai_participant_id"]
        print("evaluating", crowdai_submission_id)
        with open(submission_file_path) as file:
            given = dict(csv.reader(file))
        if set(given) != set(self.answers):
            raise Exception("The ids are not those of the test set")
        right = sum(given[key] == self.answers[key] for key in given)
        return {"score": right / len(given), "score_secondary": float(right), "rows": len(given)}

if __name__ == "__main__":
    raise SystemExit("this part is for trying it by hand")
`;

function serve(text: string, evaluator: object = {}, files: Record<string, string> = {}) {
  return makeEvaluator(
    { python_class: "evaluator.py:Evaluator", ...evaluator },
    { "evaluator.py": text, ...files },
  );
}

describe("an evaluator class of crowdAI", () => {
  const challenge = () =>
    makeEvaluator(
      { python_class: "evaluator.py:CrowdAIEvaluator", args: ["private/answers.csv"] },
      {
        "evaluator.py": CROWDAI,
        "private/answers.csv": "a,1\nb,2\n",
        "good.csv": "a,1\nb,3\n",
        "bad.csv": "a,1\nc,3\n",
      },
    );

  it("runs unchanged: prints are harmless, and paths are relative to the challenge folder", async () => {
    const { run, dir } = await challenge();
    for (const id of ["one", "two"]) {
      const { verdict, stderr } = await run({ id, input: { path: `${dir}/good.csv` } });
      expect(verdict).toMatchObject({
        kind: "result",
        result: { score: 0.5, score_secondary: 1, data: { rows: 2 } },
      });
      expect(stderr).toContain(`evaluating ${id}`);
    }
  });

  it("rejects a submission by raising, with the text of the exception", async () => {
    const { run, dir } = await challenge();
    const { verdict, stderr } = await run({ input: { path: `${dir}/bad.csv` } });
    expect(verdict).toEqual({ kind: "rejected", message: "The ids are not those of the test set" });
    expect(stderr).toContain("Traceback");
  });
});

describe("an evaluator class", () => {
  it("receives a JSON value as data and as a file", async () => {
    const { run } = await serve(`
import json
class Evaluator:
    def _evaluate(self, client_payload):
        with open(client_payload["submission_file_path"]) as file:
            assert json.load(file) == client_payload["data"]
        return {"score": sum(client_payload["data"])}`);
    expect((await run({ input: { data: [1, 2] } })).verdict).toMatchObject({ result: { score: 3 } });
  });

  it.each([
    ["client_payload, round_indicator, _context", "score = round_indicator if _context == {} else -1"],
    ["client_payload, round", "score = round"],
    ["client_payload, context, challenge_round=7", "score = challenge_round + len(context)"],
    ["client_payload, *more, round_indicator, **rest", "score = round_indicator + len(more) + len(rest)"],
    ["client_payload, other=4, _context={}", "score = client_payload['round'] + other - 4"],
  ])("is called by the names of its parameters: (%s)", async (parameters, statement) => {
    const { run } = await serve(`
class Evaluator:
    def _evaluate(self, ${parameters}):
        ${statement}
        return {"score": score}`);
    expect((await run({ round: 3 })).verdict).toMatchObject({ result: { score: 3 } });
  });

  it("may take keyword arguments", async () => {
    const { run } = await serve(
      `
class Evaluator:
    def __init__(self, *, factor): self.factor = factor
    def _evaluate(self, client_payload): return {"score": self.factor, "secondary_score": 2}`,
      { args: { factor: 6 } },
    );
    expect((await run()).verdict).toMatchObject({ result: { score: 6, score_secondary: 2 } });
  });

  it("keeps its state between jobs, or gets a new process for each job when fresh", async () => {
    const text = `
import os
JOBS = []
class Evaluator:
    seen = 0
    def _evaluate(self, client_payload):
        JOBS.append(client_payload)
        Evaluator.seen += 1
        return {"score": len(JOBS) + Evaluator.seen, "pid": os.getpid()}`;
    const scoresOf = async (fresh: boolean) => {
      const { run } = await serve(text, { fresh });
      const verdicts: unknown[] = [];
      for (const id of ["one", "two", "three"]) verdicts.push((await run({ id })).verdict);
      return verdicts as { result: { score: number; data: { pid: number } } }[];
    };
    const kept = await scoresOf(false);
    expect(kept.map(({ result }) => result.score)).toEqual([2, 4, 6]);
    expect(new Set(kept.map(({ result }) => result.data.pid)).size).toBe(1);
    const fresh = await scoresOf(true);
    expect(fresh.map(({ result }) => result.score)).toEqual([2, 2, 2]);
    expect(new Set(fresh.map(({ result }) => result.data.pid)).size).toBe(3);
  });

  it("may print in any way, even text that looks like an event", async () => {
    const { run } = await serve(`
import json, logging, os, sys
print("at import")
logging.basicConfig(stream=sys.stdout)
class Evaluator:
    def __init__(self): print(json.dumps({"id": "job1", "type": "result", "score": 666}))
    def _evaluate(self, client_payload):
        event = json.dumps({"id": client_payload["crowdai_submission_id"], "type": "result", "score": 666})
        print(event, flush=True)
        sys.stdout.write(event + "\\n")
        sys.__stdout__.write(event + "\\n")
        sys.stdout.buffer.write(event.encode() + b"\\n")
        os.write(1, event.encode() + b"\\n")
        os.system("echo '" + event + "'")
        logging.warning("half a line, then a loud end: %s", "x" * 100000)
        print("no new line at the end", end="")
        return {"score": 1}`);
    for (const id of ["one", "two"])
      expect((await run({ id })).verdict).toMatchObject({ kind: "result", result: { score: 1 } });
  });

  it.each([
    ["self, client_payload", "client_payload"],
    ["self, client_payload, context", "client_payload, context"],
    ["self, client_payload, _context", "client_payload, _context"],
    ["self, client_payload, _context={}", "client_payload, _context"],
    ["self, client_payload, round_indicator, _context", "client_payload, round_indicator, _context"],
    ["self, client_payload, round_indicator=1, _context={}", "client_payload, round_indicator, _context"],
    ["self, client_payload, *, round_indicator, context", "client_payload, round_indicator, context"],
    ["self, client_payload, round_indicator, context, /", "client_payload, round_indicator, context"],
  ])("of the published kits is called with what it asks for: (%s)", async (parameters, names) => {
    const { run } = await serve(`
class Base:
    def _evaluate(${parameters}):
        payload, *rest = [${names}]
        assert payload["submission_file_path"] and payload["crowdai_participant_id"] == ""
        for value, name in zip(rest, "${names}".split(", ")[1:]):
            assert value == (2 if "round" in name else {}), (name, value)
        return {"score": 1 + len(rest), "secondary_score": 3}
class Evaluator(Base):
    pass`);
    const count = names.split(", ").length;
    expect((await run({ round: 2 })).verdict).toMatchObject({
      kind: "result",
      result: { score: count, score_secondary: 3 },
    });
  });

  it.each([
    ["a list", [4], "self, factor, round=2"],
    ["keywords", { factor: 4, round: 2 }, "self, factor, round"],
    ["a list and defaults", [], "self, factor=4, *rest, **more"],
  ])("is constructed from %s", async (_, args, parameters) => {
    const { run } = await serve(
      `
class Evaluator:
    def __init__(${parameters}): self.factor = factor
    def _evaluate(self, client_payload): return {"score": self.factor, "score_secondary": 2}`,
      { args },
    );
    expect((await run()).verdict).toMatchObject({ result: { score: 4, score_secondary: 2 } });
  });

  it("learns whether the small test was requested", async () => {
    const { run } = await serve(
      `
class Evaluator:
    def _evaluate(self, client_payload): return {"score": 1 if client_payload["small_test"] else 2}`,
      { functions: ["submit", "small_test"] },
    );
    expect((await run({ function: "small_test" })).verdict).toMatchObject({ result: { score: 1 } });
    expect((await run({ id: "job2" })).verdict).toMatchObject({ result: { score: 2 } });
  });

  it("may return a final score, which no data and no private result contains", async () => {
    const { run } = await serve(`
class Number:
    def tolist(self): return 0.75
class Evaluator:
    def _evaluate(self, client_payload): return {"score": 0.5, "score_final": Number(), "rows": 2}`);
    const { verdict } = await run();
    expect(verdict).toMatchObject({ result: { score: 0.5, score_final: 0.75, data: { rows: 2 } } });
    expect(JSON.stringify(verdict).match(/0\.75/g)).toHaveLength(1);
  });

  it("may return numpy-like numbers, and NaN outside the score", async () => {
    const { run } = await serve(`
class Number:
    def __init__(self, value): self.value = value
    def tolist(self): return self.value
class Evaluator:
    def _evaluate(self, client_payload):
        return {"score": Number(0.5), "score_secondary": Number(2), "counts": Number([1, 2]), "loss": float("nan")}`);
    expect((await run()).verdict).toMatchObject({
      result: { score: 0.5, score_secondary: 2, data: { counts: [1, 2], loss: null } },
    });
  });

  it("may return sets, and dicts with numpy-like numbers and tuples as keys", async () => {
    const { run } = await serve(`
class Number:
    def __init__(self, value): self.value = value
    def tolist(self): return self.value
class Evaluator:
    def _evaluate(self, client_payload):
        return {"score": 1, "confusion": [{(0, 1): 3, Number(2): 4, 5: 6, None: 7}], "missing": {"b", "a"}}`);
    expect((await run()).verdict).toMatchObject({
      result: {
        data: { confusion: [{ "(0, 1)": 3, "2": 4, "5": 6, null: 7 }], missing: ["a", "b"] },
      },
    });
  });

  it("finds a JSON value in a file digit by digit", async () => {
    const { run } = await serve(`
class Evaluator:
    def _evaluate(self, client_payload):
        text = open(client_payload["submission_file_path"]).read()
        return {"score": 1, "text": text, "id": client_payload["data"]["id"]}`);
    const data = parseExact('{"id":1460323737035677698,"\\"input\\":":[0.12345678901234567890,1.0]}', "all");
    const { verdict } = await run({ id: 'odd"input":{"data":', input: { data } });
    expect(verdict).toMatchObject({
      result: { data: { text: stringifyExact(data), id: new ExactNumber("1460323737035677698") } },
    });
  });

  it("can import modules beside it, and its subprocesses may print", async () => {
    const { run } = await serve(
      `
import subprocess, sys
import metric
class Evaluator:
    def _evaluate(self, client_payload):
        subprocess.check_call(["echo", "rubbish from a child"])
        assert sys.stdin.read() == ""
        return {"score": metric.VALUE}`,
      {},
      { "metric.py": "VALUE = 9" },
    );
    expect((await run()).verdict).toMatchObject({ result: { score: 9 } });
  });

  it.each([
    ["cannot be imported", "import no_such_module_here", "evaluator_crashed"],
    ["cannot be constructed", "class Evaluator:\n    def __init__(self, answers): pass", "evaluator_crashed"],
    ["is not there", "class Another: pass", "evaluator_crashed"],
    [
      "does not return a dict",
      "class Evaluator:\n    def _evaluate(self, p): return 0.5",
      "evaluator_crashed",
    ],
    ["returns no score", "class Evaluator:\n    def _evaluate(self, p): return {}", "evaluator_score"],
    [
      "scores NaN",
      "class Evaluator:\n    def _evaluate(self, p): return {'score': float('nan')}",
      "evaluator_score",
    ],
    [
      "has an unknown parameter",
      "class Evaluator:\n    def _evaluate(self, p, q): return {}",
      "evaluator_crashed",
    ],
    ["leaves", "import os\nclass Evaluator:\n    def _evaluate(self, p): os._exit(0)", "evaluator_silent"],
    [
      "runs out of memory",
      "class Evaluator:\n    def _evaluate(self, p): bytearray(1 << 32)",
      "evaluator_memory",
    ],
  ])("that %s is an evaluator failure", async (_, text, code) => {
    const { run } = await serve(text, { memory_mb: 256 });
    expect((await run()).verdict).toMatchObject({ kind: "failure", code });
  });

  it.each([
    ["a missing key", `client_payload["no_such_key"]`],
    ["a wrong type", `len(None)`],
    ["a missing attribute", `client_payload.no_such_attribute`],
    ["an unknown name", `no_such_name`],
    ["a missing module", `import no_such_module_here`],
    ["a division by zero", `1 / 0`],
    ["a missing file of its own", `open("private/gone.csv")`],
    ["a folder in place of a file of its own", `open(".")`],
    ["a full disk", `open("/dev/full", "w").write("x" * 100000)`],
  ])("that fails on %s is an evaluator failure, and serves the next job", async (_, statement) => {
    const { run } = await serve(`
class Evaluator:
    def _evaluate(self, client_payload):
        if client_payload["data"] != 1:
            ${statement}
        return {"score": 1}`);
    const { verdict, stderr } = await run({ id: "one", input: { data: 0 } });
    expect(verdict).toMatchObject({ kind: "failure", code: "evaluator_crashed" });
    expect(stderr).toContain("Traceback");
    expect((await run({ id: "two", input: { data: 1 } })).verdict).toMatchObject({ result: { score: 1 } });
  });

  it.each([
    ["a wrong value", `float("abc")`, "could not convert string to float: 'abc'"],
    ["a missing file in the submission", `open(folder + "/gone.csv")`, /gone\.csv/],
    ["its own subclass of such an error", `raise Missing("no column id")`, "'no column id'"],
    ["such an error with a message alone", `raise FileNotFoundError("no a.csv")`, "no a.csv"],
  ])("that raises because of %s rejects the submission", async (_, statement, message) => {
    const { run } = await serve(`
class Missing(KeyError): pass
class Evaluator:
    def _evaluate(self, client_payload):
        folder = client_payload["submission_dir_path"]
        ${statement}`);
    expect((await run()).verdict).toEqual({
      kind: "rejected",
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
  });

  it("shows participants its message and all it returns, except what is private", async () => {
    const text = `
class Evaluator:
    def _evaluate(self, client_payload):
        return {"score": 1, "message": "well done", "rows": 3, "noise": 0.5, "meta": {"fold": 2}}`;
    const resultOf = async (private_results: unknown) =>
      (await (await serve(text, { private_results })).run()).verdict;
    expect(await resultOf([])).toMatchObject({
      result: { message: "well done", data: { rows: 3, noise: 0.5 }, meta: { fold: 2 } },
    });
    expect(await resultOf(["noise"])).toMatchObject({
      result: { message: "well done", data: { rows: 3 }, meta: { fold: 2, noise: 0.5 } },
    });
    expect(await resultOf(true)).toMatchObject({
      result: { data: null, meta: { message: "well done", rows: 3, noise: 0.5, fold: 2 } },
    });
  });

  it("names media by path, wherever it wrote them", async () => {
    const { run } = await serve(`
import os, tempfile
class Evaluator:
    def _evaluate(self, client_payload):
        folder = tempfile.mkdtemp()
        for path in [folder + "/a.mp4", folder + "/b.png", client_payload["output_dir"] + "/c.png"]:
            open(path, "w").write("x")
        return {"score": 1, "media_video_path": folder + "/a.mp4", "media_image_path": folder + "/b.png",
                "media_video_thumb_path": client_payload["output_dir"] + "/c.png"}`);
    expect((await run()).verdict).toMatchObject({
      result: {
        media: { path: "media_video.mp4" },
        artifacts: [
          { path: "media_image.png", name: "media_image.png" },
          { path: "c.png", name: "media_video_thumb.png" },
        ],
        data: null,
      },
    });
  });

  it("is graded though its media is missing", async () => {
    const { run } = await serve(`
class Evaluator:
    def _evaluate(self, client_payload):
        return {"score": 1, "media_image_path": "gone.png"}`);
    const { verdict, stderr } = await run();
    expect(verdict).toMatchObject({ kind: "result", result: { score: 1, data: null } });
    expect(stderr).toContain("there is no file gone.png");
  });
});
