import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { createGrader } from "./grader.ts";
import { makeChallenge, temporaryFolder } from "./testing/challenge.ts";
import { isAlive, isGone } from "./testing/evaluation.ts";
import { runGrader, silent } from "./testing/running-grader.ts";

/** A challenge with a batch evaluator in Python; `job` and `say` are there. */
function batch(script: string, evaluator: object = {}) {
  const prelude = `import json, os, sys, time
job = json.loads(sys.stdin.readline())
def say(**event): print(json.dumps(dict(event, id=job["id"])), flush=True)
`;
  return makeChallenge(
    { command: ["python3", "evaluate.py"], ...evaluator },
    { "evaluate.py": prelude + script },
  );
}

/** A challenge with a persistent evaluator that scores the sum of a list. */
function sums(evaluator: object = {}) {
  return makeChallenge(
    { command: ["python3", "evaluate.py"], mode: "persistent", ...evaluator },
    {
      "evaluate.py": `import json, os, sys
for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps({"id": job["id"], "type": "result", "score": sum(job["input"]["data"] or []), "meta": {"pid": os.getpid()}}), flush=True)`,
    },
  );
}

describe("a grader", () => {
  it("grades a value and says: started, what the evaluator says, finished once", async () => {
    const folder = await batch(`
say(type="progress", percent=50, message="half")
say(type="log", message="reading")
say(type="result", score=sum(job["input"]["data"]), message="good", meta={"n": 2}, data={"x": 1})`);
    const { publish, report, reports, workDir } = await runGrader([folder]);
    const id = await publish({ input: { kind: "inline", data: [1, 2] }, round: 2 });
    expect(await report(id, "finished")).toEqual({
      submission: id,
      attempt: 1,
      delivery: 1,
      grader: "grader-1",
      type: "finished",
      outcome: {
        ok: true,
        score: 3,
        score_secondary: null,
        message: "good",
        meta: { n: 2 },
        data: { x: 1 },
        media: null,
        artifacts: [],
        evaluator_version: folder.version,
      },
      organiser_log: "",
    });
    expect(reports.map(({ type }) => type)).toEqual(["started", "progress", "log", "finished"]);
    while ((await readdir(join(workDir, "workspaces"))).length > 0) await sleep(5);
  });

  it("gives the evaluator the file under its own name, proven and alone", async () => {
    const folder = await batch(`
path = job["input"]["path"]
say(type="result", score=len(open(path).read()), data=[os.path.basename(path), os.listdir(os.path.dirname(path))])`);
    const { publish, report, store } = await runGrader([folder]);
    const id = await publish({ input: await store("../../my predictions.csv", "a,1\n") });
    const { outcome } = await report(id, "finished");
    expect(outcome).toMatchObject({
      ok: true,
      score: 4,
      data: ["my_predictions.csv", ["my_predictions.csv"]],
    });
  });

  it("gives a large stored value as data, numbers and all", async () => {
    const folder = await batch(`say(type="result", score=1, data=[str(x) for x in job["input"]["data"]])`);
    const { publish, report, store } = await runGrader([folder]);
    const id = await publish({ input: await store("v", "[12345678901234567890123,\n 1.50]", "json") });
    expect(await report(id, "finished")).toMatchObject({
      outcome: { ok: true, data: ["12345678901234567890123", "1.5"] },
    });
  });

  it("gives the submitted code as a file", async () => {
    const folder = await batch(`say(type="result", score=1, data=open(job["code"]).read())`);
    const { publish, report, store } = await runGrader([folder]);
    const { key, size, sha256 } = await store("code", "the code");
    const id = await publish({ code: { key, size, sha256 } });
    expect(await report(id, "finished")).toMatchObject({ outcome: { ok: true, data: "the code" } });
  });

  it("grades many calls at once, up to its concurrency", async () => {
    const folder = await batch(`time.sleep(0.2); say(type="result", data=job["input"]["data"] ** 2)`, {
      functions: ["submit", "evaluate"],
    });
    const { publish, report } = await runGrader([folder]);
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        publish({ function: "evaluate", input: { kind: "inline", data: i } }),
      ),
    );
    const answers = await Promise.all(ids.map((id) => report(id, "finished")));
    expect(answers.map(({ outcome }) => outcome.ok && outcome.data)).toEqual([0, 1, 4, 9, 16, 25, 36, 49]);
  });

  it("refuses a function that the evaluator does not have", async () => {
    const { publish, report } = await runGrader([await sums()]);
    const id = await publish({ function: "evaluate" });
    expect(await report(id, "finished")).toMatchObject({ outcome: { ok: false, code: "function_unknown" } });
  });

  it("tells a rejection in the evaluator's words, made harmless", async () => {
    const folder = await batch(
      `say(type="error", message="row \\x1b[31m17 of " + job["output_dir"] + "\\n" + os.getcwd() + "/private/a")`,
    );
    const { publish, report } = await runGrader([folder]);
    const { outcome } = await report(await publish(), "finished");
    expect(outcome).toMatchObject({
      ok: false,
      code: "rejected",
      message: "row \\u001b[31m17 of output\nprivate/a",
    });
  });

  it("tells an evaluator's fault by kind, and all of it to the organiser", async () => {
    const folder = await batch(`print("cannot open " + os.getcwd(), file=sys.stderr); sys.exit(2)`);
    const { publish, report } = await runGrader([folder]);
    const { outcome, organiser_log } = await report(await publish(), "finished");
    expect(outcome).toMatchObject({
      ok: false,
      code: "evaluator_crashed",
      message: "The evaluator crashed.",
    });
    expect(organiser_log).toContain("exit code 2");
    expect(organiser_log).toContain(`cannot open ${folder.dir}`);
  });

  it("answers fast from a warm evaluator", async () => {
    const { publish, report } = await runGrader([await sums()]);
    await report(await publish(), "finished");
    const times: number[] = [];
    for (let i = 0; i < 30; i++) {
      const begun = performance.now();
      await report(await publish({ input: { kind: "inline", data: [i] } }), "finished");
      times.push(performance.now() - begun);
    }
    expect(times.sort((a, b) => a - b)[15]).toBeLessThan(20);
  });

  it("starts evaluators anew when the challenge folder has another version", async () => {
    const folder = await sums();
    const { publish, report, challenges } = await runGrader([folder]);
    const pid = async () => {
      const { outcome } = await report(await publish(), "finished");
      return outcome.ok && outcome.meta.pid;
    };
    const before = (await pid()) as number;
    challenges.set("iris", { ...folder, version: "another" });
    expect(await pid()).not.toBe(before);
    while (await isAlive(before)) await sleep(5);
  });

  it("removes what an earlier run left in its folder", async () => {
    const workDir = await temporaryFolder();
    await mkdir(join(workDir, "workspaces", "job-left"), { recursive: true });
    await writeFile(join(workDir, "workspaces", "job-left", "predictions.csv"), "x");
    const { publish, report } = await runGrader([await sums()], { workDir });
    await report(await publish(), "finished");
    expect(await readdir(join(workDir, "workspaces"))).not.toContain("job-left");
  });
});

describe("files of a result", () => {
  it("are stored under keys of the attempt, with their names and types", async () => {
    const folder = await batch(`
out = job["output_dir"]
os.mkdir(out + "/models")
open(out + "/plot.png", "w").write("image")
open(out + "/models/model.onnx", "w").write("weights")
say(type="result", score=1, media={"path": "plot.png"}, artifacts=[{"path": "models/model.onnx", "name": "the model"}])`);
    const { publish, report, objects } = await runGrader([folder]);
    const id = await publish();
    const { outcome } = await report(id, "finished");
    if (!outcome.ok) throw new Error(JSON.stringify(outcome));
    expect(outcome.media).toMatchObject({ name: "plot.png", size: 5, type: "image/png" });
    expect(outcome.artifacts).toMatchObject([
      { name: "the model", size: 7, type: "application/octet-stream" },
    ]);
    for (const { key, size, sha256 } of [outcome.media!, ...outcome.artifacts]) {
      expect(key).toMatch(new RegExp(`^submissions/iris/${id}/1/[0-9a-f]+/(media\\.png|artifact-1\\.onnx)$`));
      expect(await objects.stat(key)).toEqual({ size, sha256 });
    }
  });

  it("may be named by their full path", async () => {
    const folder = await batch(`
path = os.path.join(job["output_dir"], "plot.png")
open(path, "w").write("image")
say(type="result", score=1, media={"path": path})`);
    const { publish, report } = await runGrader([folder]);
    expect(await report(await publish(), "finished")).toMatchObject({
      outcome: { media: { name: "plot.png" } },
    });
  });

  it.each([
    ["a symbolic link", "os.symlink('/etc/hostname', out + '/f')", "f"],
    ["inside a linked folder", "os.symlink('/etc', out + '/d')", "d/hostname"],
    ["a hard link", "open('secret', 'w'); os.link('secret', out + '/f')", "f"],
    ["a pipe", "os.mkfifo(out + '/f')", "f"],
    ["a folder", "os.mkdir(out + '/f')", "f"],
    ["a device", "pass", "/dev/zero"],
    ["outside of output_dir", "pass", "../job.json"],
    ["outside by detours", "os.mkdir(out + '/a')", "a/../../job.json"],
    ["not there", "pass", "f"],
    ["named with a null", "pass", "f\\0"],
    ["larger than allowed", "open(out + '/f', 'w').truncate((1 << 30) + 1)", "f"],
  ])("are refused when %s", async (_, statement, path) => {
    const folder = await batch(`
out = job["output_dir"]
${statement}
say(type="result", score=1, media={"path": "${path}"})`);
    const { publish, report, objects } = await runGrader([folder]);
    const id = await publish();
    const { outcome, organiser_log } = await report(id, "finished");
    expect(outcome).toMatchObject({
      ok: false,
      code: "evaluator_output",
      message: expect.not.stringContaining("hostname"),
    });
    expect(organiser_log).toContain("the result names the file");
    for await (const key of objects.list(`submissions/iris/${id}`)) throw new Error(`${key} was stored`);
  });

  it("are refused when there are too many", async () => {
    const folder = await batch(`say(type="result", score=1, artifacts=[{"path": "x"}] * 51)`);
    const { publish, report } = await runGrader([folder]);
    expect(await report(await publish(), "finished")).toMatchObject({
      outcome: { code: "evaluator_output" },
    });
  });
});

describe("a job that the platform spoils", () => {
  it.each([
    ["has other bytes than accepted", { sha256: "0".repeat(64) }],
    ["is shorter than accepted", { size: 100 }],
    ["is longer than accepted", { size: 1 }],
    ["is gone", { key: "submissions/iris/gone/input" }],
  ])("because its input %s is handed back, and given up after three times, unscored", async (_, change) => {
    const folder = await batch(`open("evaluated", "w")`);
    const { publish, report, reports, store } = await runGrader([folder]);
    const id = await publish({ input: { ...(await store("p.csv", "a,1\n")), ...change } });
    expect(await report(id, "finished")).toMatchObject({
      delivery: 3,
      outcome: { ok: false, code: "gave_up" },
    });
    expect(reports.map(({ type }) => type)).toEqual([
      "started",
      "released",
      "started",
      "released",
      "started",
      "finished",
    ]);
    expect(await readdir(folder.dir)).not.toContain("evaluated");
  });

  it("because it asks for a version of the challenge that is not here is handed back too", async () => {
    const { publish, report } = await runGrader([await sums()]);
    expect(await report(await publish({ version: "newer" }), "released")).toMatchObject({
      reason: "This grader has another version of the challenge.",
    });
  });

  it("is graded when the store comes back in time", async () => {
    const { publish, report, objects, store } = await runGrader([await batch(`say(type="result", score=1)`)]);
    const input = await store("p.csv", "a,1\n");
    await objects.remove(input.key);
    const id = await publish({ input });
    await report(id, "released");
    await objects.put(input.key, Buffer.from("a,1\n"));
    expect(await report(id, "finished")).toMatchObject({ outcome: { ok: true } });
  });
});

describe("cancelling", () => {
  it("ends the evaluator and says nothing more", async () => {
    const folder = await batch(`
open("pid", "w").write(str(os.getpid()))
say(type="log", message="here")
time.sleep(60)`);
    const { publish, report, reports, queue, stop, stopped } = await runGrader([folder]);
    const id = await publish();
    await report(id, "log");
    await queue.cancel(id);
    const pid = Number(await readFile(join(folder.dir, "pid"), "utf8"));
    while (await isAlive(pid)) await sleep(5);
    stop.abort();
    await stopped;
    expect(reports.map(({ type }) => type)).toEqual(["started", "log"]);
  });
});

describe("stopping", () => {
  it("lets a job in hand end within the grace, takes no other, and leaves nothing behind", async () => {
    const folder = await batch(
      `say(type="log", message="here"); time.sleep(0.5); say(type="result", score=1)`,
    );
    const { publish, report, stop, stopped, reports, workDir } = await runGrader([folder], {
      concurrency: 1,
      graceSeconds: 20,
    });
    const first = await publish();
    await report(first, "log");
    stop.abort();
    const second = await publish();
    await stopped;
    expect(reports.find(({ type }) => type === "finished")).toMatchObject({
      submission: first,
      outcome: { ok: true },
    });
    expect(reports.some(({ submission }) => submission === second)).toBe(false);
    expect(await readdir(workDir)).toEqual([]);
  });

  it("hands back what does not end in time, and another grader does it", async () => {
    const folder = await batch(`
if not os.path.exists("pid"):
    open("pid", "w").write(str(os.getpid()))
    say(type="log", message="here")
    time.sleep(60)
say(type="result", score=1)`);
    const { publish, report, start, stop, stopped } = await runGrader([folder]);
    const id = await publish();
    await report(id, "log");
    stop.abort();
    await stopped;
    expect(await isGone(Number(await readFile(join(folder.dir, "pid"), "utf8")))).toBe(true);
    expect(await report(id, "released")).toMatchObject({
      grader: "grader-1",
      reason: "The grader is stopping.",
    });
    start();
    expect(await report(id, "finished")).toMatchObject({
      grader: "grader-2",
      delivery: 2,
      outcome: { ok: true },
    });
  });

  it("ends warm evaluators", async () => {
    const { publish, report, stop, stopped } = await runGrader([await sums()]);
    const { outcome } = await report(await publish(), "finished");
    stop.abort();
    await stopped;
    expect(await isGone(outcome.ok ? (outcome.meta.pid as number) : 0)).toBe(true);
  });

  it("resolves at once when it was stopped before it ran", async () => {
    const { start } = await runGrader([await sums()]);
    const { stop, stopped } = start();
    stop.abort();
    await stopped;
  });
});

describe("a challenge that asks for a sandbox this grader does not have", () => {
  it("is a mistake at the start, naming the reason", async () => {
    const folder = await sums({ sandbox: "bubblewrap" });
    const make = () =>
      createGrader({
        name: "g",
        queue: undefined as never,
        objects: undefined as never,
        challenges: () => new Map([["iris", folder]]),
        concurrency: 1,
        log: silent,
        workDir: "/nowhere",
      });
    expect(make).toThrow(/iris\/challenge\.json: evaluator\.sandbox asks for "bubblewrap"/);
  });

  it("is not served when it comes later, and that is said", async () => {
    const folder = await sums();
    const said: string[] = [];
    const log = { ...silent, error: (_: object, message: string) => said.push(message) };
    const { challenges, queue, publish, reports } = await runGrader([folder], { log });
    while ((await queue.attached()).length === 0) await sleep(5);
    challenges.set("iris", await sums({ sandbox: "bubblewrap" }));
    await publish();
    expect((await queue.attached())[0]!.challenges).toEqual([]);
    expect(said).toEqual([expect.stringContaining("bubblewrap")]);
    expect(reports).toEqual([]);
  });
});
