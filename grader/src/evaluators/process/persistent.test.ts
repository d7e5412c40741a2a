import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { allowedMs } from "../../../../test/allowed-ms.ts";
import { isAlive, isGone, makeEvaluator, python, type TestEvaluator } from "../../testing/evaluation.ts";

/** Returns for each job the process it runs in and the number of jobs which that process has had. */
const COUNTING = `
for n, job in enumerate(jobs(), 1):
    if job["input"]["data"] == "slow": time.sleep(0.3)
    say(id=job["id"], type="result", score=n, meta={"pid": os.getpid(), "home": os.environ["HOME"]})
`;

async function pidOf(run: TestEvaluator["run"], id: string, data: unknown = null): Promise<number> {
  const { verdict } = await run({ id, input: { data } });
  if (verdict.kind !== "result") throw new Error(`no result but ${JSON.stringify(verdict)}`);
  return verdict.result.meta!.pid as number;
}

describe("a persistent evaluator", () => {
  it("uses one process for successive jobs", async () => {
    const { run } = await python(COUNTING);
    const pids = [await pidOf(run, "one"), await pidOf(run, "two"), await pidOf(run, "three")];
    expect(new Set(pids).size).toBe(1);
    expect((await run({ id: "four" })).verdict).toMatchObject({ result: { score: 4 } });
  });

  it("runs as many processes as parallel jobs, and no more", async () => {
    const { run } = await python(COUNTING);
    const first = await Promise.all(["a", "b", "c"].map((id) => pidOf(run, id, "slow")));
    expect(new Set(first).size).toBe(3);
    const second = await Promise.all(["d", "e", "f"].map((id) => pidOf(run, id, "slow")));
    expect([...second].sort()).toEqual([...first].sort());
  });

  it("adds little time to a warm round trip", async () => {
    const { run } = await python(COUNTING);
    for (let i = 0; i < 20; i++) await pidOf(run, `warm-${i}`);
    const times: number[] = [];
    for (let i = 0; i < 50; i++) {
      const begun = performance.now();
      await pidOf(run, `timed-${i}`);
      times.push(performance.now() - begun);
    }
    expect(times.sort((a, b) => a - b)[25]).toBeLessThan(allowedMs(20));
  });

  it("reports events and a rejection, and the process continues", async () => {
    const { run } = await python(`
for job in jobs():
    say(id=job["id"], type="progress", percent=10)
    say(id=job["id"], type="error", message="no such column")`);
    for (const id of ["one", "two"]) {
      const { verdict, events } = await run({ id });
      expect(verdict).toEqual({ kind: "rejected", message: "no such column" });
      expect(events).toEqual([{ type: "progress", percent: 10 }]);
    }
  });

  it("that crashes fails its job and is replaced for the next", async () => {
    const { run } = await python(`
for job in jobs():
    if job["id"] == "bad": print("it broke", file=sys.stderr); os._exit(7)
    say(id=job["id"], type="result", score=1, meta={"pid": os.getpid()})`);
    const before = await pidOf(run, "good");
    const { verdict, stderr } = await run({ id: "bad" });
    expect(verdict).toMatchObject({ code: "evaluator_crashed", detail: "exit code 7" });
    expect(stderr).toContain("it broke");
    expect(await pidOf(run, "good again")).not.toBe(before);
  });

  it.each([
    ["hangs", "time.sleep(60)", "evaluator_timeout"],
    ["prints rubbish", "print('rubbish', flush=True)", "evaluator_output"],
    ["names a job it never had", "say(id='other', type='result', score=1)", "evaluator_output"],
    ["prints an invalid event", "say(id=job['id'], type='log')", "evaluator_output"],
    ["scores NaN", "say(id=job['id'], type='result', score=float('nan'))", "evaluator_score"],
    ["ends silently", "sys.exit(0)", "evaluator_silent"],
    ["prints without end", "\n    while True: sys.stdout.write('x' * 65536)", "evaluator_output"],
    ["eats memory", "x = bytearray(1 << 30)", "evaluator_memory"],
  ])("that %s fails with its code, is stopped, and is replaced", async (_, statement, code) => {
    const { run, dir } = await python(
      `
for job in jobs():
    with open("pid", "w") as file: file.write(str(os.getpid()))
    if job["id"] == "good":
        say(id="good", type="result", score=1)
        continue
    ${statement}`,
      // Long where it is not what ends the program: Python takes seconds to start on a busy machine.
      { timeout_seconds: code === "evaluator_timeout" ? 3 : 60, memory_mb: 256 },
    );
    expect((await run({ id: "bad" })).verdict).toMatchObject({ kind: "failure", code });
    expect(await isGone(Number(await readFile(join(dir, "pid"), "utf8")))).toBe(true);
    expect((await run({ id: "good" })).verdict).toMatchObject({ kind: "result" });
  });

  it("that cannot be started counts as crashed", async () => {
    const { run } = await makeEvaluator({ command: ["no-such-program-anywhere"], mode: "persistent" });
    expect((await run()).verdict).toMatchObject({ code: "evaluator_crashed" });
  });

  it("that prints a second result is replaced: the first counts, and the next job is unaffected", async () => {
    const { run } = await python(`
for job in jobs():
    event = dict(id=job["id"], type="result", score=1, meta={"pid": os.getpid()})
    if job["id"] == "twice": print(json.dumps(event) + "\\n" + json.dumps(event), flush=True)
    else: say(**event)`);
    const before = await pidOf(run, "twice");
    expect(await pidOf(run, "next")).not.toBe(before);
  });

  it("that still prints events of an earlier job leaves the next job to a fresh process", async () => {
    const { run } = await python(`
late = None
for job in jobs():
    if late: say(id=late, type="log", message="one more thing"); time.sleep(0.2)
    say(id=job["id"], type="result", score=1, meta={"pid": os.getpid()})
    late = job["id"]`);
    const before = await pidOf(run, "first");
    expect(await pidOf(run, "second")).not.toBe(before);
  });

  it("that exits in good order between two jobs is replaced, however late that shows", async () => {
    const { run } = await python(`
job = next(jobs())
say(id=job["id"], type="result", score=1, meta={"pid": os.getpid()})`);
    const pids = [await pidOf(run, "one"), await pidOf(run, "two"), await pidOf(run, "three")];
    expect(new Set(pids).size).toBe(3);
  });

  it("counts output per job: many jobs together may print more than one", async () => {
    const { run } = await python(`
for job in jobs():
    for i in range(3): say(id=job["id"], type="log", message="x" * 9_000_000)
    say(id=job["id"], type="result", score=1, meta={"pid": os.getpid()})`);
    const pids = [await pidOf(run, "one"), await pidOf(run, "two"), await pidOf(run, "three")];
    expect(new Set(pids).size).toBe(1);
  });

  it("separates stderr by job", async () => {
    const { run } = await python(`
for job in jobs():
    print("working on " + job["id"], file=sys.stderr, flush=True)
    time.sleep(0.1)
    say(id=job["id"], type="result", score=1)`);
    expect((await run({ id: "one" })).stderr).toBe("working on one\n");
    expect((await run({ id: "two" })).stderr).toBe("working on two\n");
  });

  it("accepts an input of many megabytes", async () => {
    const { run } = await python(
      `for job in jobs(): say(id=job["id"], type="result", score=len(job["input"]["data"]))`,
    );
    const { verdict } = await run({ input: { data: "x".repeat(20_000_000) } });
    expect(verdict).toMatchObject({ result: { score: 20_000_000 } });
  });

  it("stops an idle process after a while, and removes its home folder", async () => {
    const { run } = await python(COUNTING, {}, { idleMs: 50 });
    const { verdict } = await run();
    if (verdict.kind !== "result") throw new Error("no result");
    const { pid, home } = verdict.result.meta as { pid: number; home: string };
    while (await isAlive(pid)) await sleep(20);
    while (await readdir(home).catch(() => null)) await sleep(20);
    expect(await pidOf(run, "later")).not.toBe(pid);
  });

  it("stops idle processes on close, even if they ignore SIGTERM", async () => {
    const { run, evaluator } = await python(`
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
${COUNTING}`);
    const pid = await pidOf(run, "one");
    await evaluator.close();
    expect(await isGone(pid)).toBe(true);
  });

  it("kills the process and its children on abort, and the next job gets another", async () => {
    const { run, dir } = await python(`
import subprocess
for job in jobs():
    if job["id"] == "slow":
        child = subprocess.Popen(["sleep", "60"])
        with open("pids", "w") as file: file.write("%d %d" % (os.getpid(), child.pid))
        say(id="slow", type="log", message="here")
        time.sleep(60)
    say(id=job["id"], type="result", score=1)`);
    await writeFile(join(dir, "pids"), "");
    const controller = new AbortController();
    const running = run({
      id: "slow",
      signal: controller.signal,
      onEvent: () => controller.abort(new Error("stop")),
    });
    await expect(running).rejects.toThrow("stop");
    for (const pid of (await readFile(join(dir, "pids"), "utf8")).split(" "))
      expect(await isGone(Number(pid))).toBe(true);
    expect((await run({ id: "next" })).verdict).toMatchObject({ kind: "result" });
  });
});
