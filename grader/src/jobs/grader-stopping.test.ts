import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { batch, sums } from "../testing/challenge.ts";
import { isAlive, isGone } from "../testing/evaluation.ts";
import { runGrader } from "../testing/running-grader.ts";

describe("cancelling", () => {
  it("ends the evaluator and sends no further reports", async () => {
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
  it("lets a running job finish within the grace period, takes no other, and cleans up", async () => {
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

  it("returns a job that does not finish in time, and another grader takes it", async () => {
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

  it("stops warm evaluators", async () => {
    const { publish, report, stop, stopped } = await runGrader([await sums()]);
    const { outcome } = await report(await publish(), "finished");
    stop.abort();
    await stopped;
    expect(await isGone(outcome.ok ? (outcome.meta.pid as number) : 0)).toBe(true);
  });

  it("resolves immediately when stopped before the run", async () => {
    const { start } = await runGrader([await sums()]);
    const { stop, stopped } = start();
    stop.abort();
    await stopped;
  });
});
