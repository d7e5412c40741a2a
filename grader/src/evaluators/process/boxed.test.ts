import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openTestSandbox } from "../../testing/boxes.ts";
import { makeEvaluator } from "../../testing/evaluation.ts";

const sandbox = await openTestSandbox();
afterAll(() => sandbox?.[Symbol.dispose]());

const boxed = (evaluator: object, files: Record<string, string>) =>
  makeEvaluator({ sandbox: "bubblewrap", ...evaluator }, files, { sandbox: sandbox! });

const PRELUDE = `import json, os, sys
def say(id, **event): print(json.dumps(dict(event, id=id)), flush=True)
`;

describe.runIf(sandbox)("an evaluator in a box", () => {
  it("runs a batch command, which finds its folder, its submission and its output folder", async () => {
    const { run } = await boxed(
      { command: ["./evaluate.sh"] },
      {
        "evaluate.sh": `#!/bin/sh
exec python3 evaluate.py
`,
        "private/answers.csv": "42",
        "evaluate.py": `${PRELUDE}
job = json.loads(sys.stdin.read())
answer = open("private/answers.csv").read()
open(job["output_dir"] + "/plot.svg", "w").write("<svg/>")
os.makedirs("/out/deep"); open("/out/deep/log.txt", "w").write("x" * 100000)
say(job["id"], type="progress", percent=50)
say(job["id"], type="result", score=float(answer), media={"path": "/out/plot.svg"}, artifacts=[{"path": "deep/log.txt"}],
    meta={"home": os.environ["HOME"], "environment": sorted(os.environ), "cwd": os.getcwd(), "job": job})`,
      },
    );
    const { verdict, stderr, events, workspace } = await run();
    expect(stderr).toBe("");
    expect(events).toEqual([{ type: "progress", percent: 50 }]);
    expect(verdict).toMatchObject({
      kind: "result",
      result: {
        score: 42,
        media: { path: "plot.svg" },
        artifacts: [{ path: "deep/log.txt" }],
        meta: { home: "/tmp", cwd: "/challenge", job: { output_dir: "/out" } },
      },
    });
    expect(await readFile(join(workspace, "output/plot.svg"), "utf8")).toBe("<svg/>");
    expect(await readFile(join(workspace, "output/deep/log.txt"), "utf8")).toHaveLength(100_000);
  });

  it("reads a submitted file that it cannot change", async () => {
    const { run } = await boxed(
      { command: ["python3", "evaluate.py"] },
      {
        "evaluate.py": `${PRELUDE}
job = json.loads(sys.stdin.read())
path = job["input"]["path"]
try: open(path, "w"); score = 0
except OSError: score = len(open(path).read())
say(job["id"], type="result", score=score, data=path)`,
      },
    );
    const { verdict } = await run({ file: { name: "predictions.csv", text: "a,b\n" } });
    expect(verdict).toMatchObject({ result: { score: 4, data: "/job/input/predictions.csv" } });
  });

  it("takes one job after another in a persistent process, each with its own files", async () => {
    const { run } = await boxed(
      { command: ["python3", "evaluate.py"], mode: "persistent" },
      {
        "evaluate.py": `${PRELUDE}
for line in sys.stdin:
    job = json.loads(line)
    before = sorted(os.listdir("/out")) + sorted(os.listdir("/job/input"))
    text = open(job["input"]["path"]).read()
    open("/out/copy.txt", "w").write(text)
    files = {"artifacts": [{"path": "copy.txt"}]} if text != "none" else {}
    say(job["id"], type="result", score=os.getpid(), data=before, **files)`,
      },
    );
    const pids = new Set<unknown>();
    for (const text of ["first", "none", "third"]) {
      const { verdict, workspace, stderr } = await run({ id: text, file: { name: `${text}.txt`, text } });
      expect(stderr).toBe("");
      expect(verdict).toMatchObject({ kind: "result", result: { data: [`${text}.txt`] } });
      pids.add(verdict.kind === "result" && verdict.result.score);
      const copy = await readFile(join(workspace, "output/copy.txt"), "utf8").catch(() => "none");
      expect(copy).toBe(text);
    }
    expect(pids.size).toBe(1);
  });

  it("keeps the files of a persistent process that exits right after its result", async () => {
    const { run } = await boxed(
      { command: ["python3", "evaluate.py"], mode: "persistent" },
      {
        "evaluate.py": `${PRELUDE}
job = json.loads(sys.stdin.readline())
open("/out/plot.png", "wb").write(bytes(8000000))
say(job["id"], type="result", score=1, media={"path": "/out/plot.png"})
os._exit(0)`,
      },
    );
    for (const id of ["first", "second", "third"]) {
      const { verdict, workspace } = await run({ id });
      expect(verdict).toMatchObject({ result: { media: { path: "plot.png" } } });
      expect((await stat(join(workspace, "output/plot.png"))).size).toBe(8_000_000);
    }
  });

  it.each([[false], [true]])("serves a Python class, with fresh: %s", async (fresh) => {
    const { run } = await boxed(
      { python_class: "evaluator.py:Evaluator", args: ["private/answers.csv"], fresh },
      {
        "private/answers.csv": "7",
        "evaluator.py": `
class Evaluator:
    def __init__(self, path): self.answer = int(open(path).read())
    def _evaluate(self, client_payload):
        submitted = open(client_payload["submission_file_path"]).read()
        if submitted == "wrong": open(client_payload["submission_dir_path"] + "/gone.csv")
        open("/tmp/plot.png", "w").write("png")
        return {"score": self.answer + len(submitted), "media_image_path": "/tmp/plot.png"}`,
      },
    );
    const { verdict, workspace, stderr } = await run({ file: { name: "a.csv", text: "abc" } });
    expect(stderr).toBe("");
    expect(verdict).toMatchObject({ result: { score: 10, media: { path: "media_image.png" } } });
    expect(await readFile(join(workspace, "output/media_image.png"), "utf8")).toBe("png");
    expect((await run({ id: "job2", input: { data: [1, 2] } })).verdict).toMatchObject({
      result: { score: 12 },
    });
    expect((await run({ id: "job3", file: { name: "a.csv", text: "wrong" } })).verdict).toMatchObject({
      kind: "rejected",
      message: expect.stringContaining("gone.csv"),
    });
  });

  it.each([
    ["crashes", "sys.exit(3)", "evaluator_crashed", /exit code 3/],
    ["crashes by a signal", "os.kill(os.getpid(), 11)", "evaluator_crashed", /SIGSEGV/],
    [
      "kills all that it can",
      "os.kill(-1, 9); os.kill(1, 9); sys.exit(9)",
      "evaluator_crashed",
      /exit code 9/,
    ],
    ["hangs", "import time; time.sleep(60)", "evaluator_timeout", /1.5 s/],
    ["leaves a child that holds its output", "os.system('sleep 60 &')", "evaluator_silent", /exit code 0/],
    [
      "uses too much memory together with its children",
      "os.system('tail /dev/zero & tail /dev/zero & wait'); import time; time.sleep(60)",
      "evaluator_memory",
      /memory/,
    ],
    ["prints a line of another job", "say('x', type='log', message='')", "evaluator_output", /another job/],
  ])("that %s fails with its code", async (_, statement, code, detail) => {
    const { run } = await boxed(
      // Long where it is not what ends the program: Python takes seconds to start on a busy machine.
      {
        command: ["python3", "evaluate.py"],
        timeout_seconds: code === "evaluator_timeout" ? 1.5 : 60,
        memory_mb: 64,
      },
      { "evaluate.py": `${PRELUDE}\n${statement}` },
    );
    expect((await run()).verdict).toMatchObject({
      kind: "failure",
      code,
      detail: expect.stringMatching(detail),
    });
  });

  it("stores no link to a file of the grader's machine", async () => {
    const { run } = await boxed(
      { command: ["python3", "evaluate.py"] },
      {
        "evaluate.py": `${PRELUDE}
job = json.loads(sys.stdin.read())
os.symlink("/etc/shadow", "/out/link"); os.mkfifo("/out/pipe"); os.symlink("/", "/out/root")
say(job["id"], type="result", score=1, artifacts=[{"path": "link"}])`,
      },
    );
    const { verdict, workspace } = await run();
    expect(verdict).toMatchObject({ kind: "result" });
    expect(await readFile(join(workspace, "output/link")).catch((error) => error.code)).toBe("ENOENT");
  });

  it("is killed on abort", async () => {
    const { run } = await boxed(
      { command: ["python3", "evaluate.py"] },
      {
        "evaluate.py": `${PRELUDE}
job = json.loads(sys.stdin.read())
say(job["id"], type="log", message="here")
import time; time.sleep(60)`,
      },
    );
    const controller = new AbortController();
    const running = run({
      signal: controller.signal,
      onEvent: () => controller.abort(new Error("cancelled")),
    });
    await expect(running).rejects.toThrow("cancelled");
  });

  it("whose folder is not readable for the box's user is the organizer's to fix", async () => {
    const { chmod } = await import("node:fs/promises");
    const folder = { command: ["python3", "evaluate.py"] };
    const made = await boxed(folder, { "evaluate.py": "", "private/answers.csv": "" });
    expect((await made.run()).verdict).toMatchObject({ code: "evaluator_silent" });
    await chmod(join(made.dir, "private"), 0o700);
    expect((await made.again().run()).verdict).toMatchObject({
      code: "evaluator_crashed",
      detail: expect.stringMatching(/^private cannot be read in the box: .*chmod -R o\+rX/),
    });
  });
});
