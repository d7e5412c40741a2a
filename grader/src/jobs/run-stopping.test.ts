import { readdirSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { makeRunChallenge, storeCode } from "../testing/run-challenge.ts";
import { runGrader } from "../testing/running-grader.ts";
import { openCodeTests } from "../testing/submit-code.ts";

const tests = await openCodeTests();
afterAll(() => tests?.close());

/** Of one width, so that the mark of no other process begins with it. */
const THIS_PROCESS = String(process.pid).padStart(7, "0");

/** The processes of this machine whose command contains a text. */
function running(mark: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(mark);
    } catch {
      return false;
    }
  });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

describe.runIf(tests)("a running box", () => {
  it("is killed when its submission is cancelled, and nothing is reported", async () => {
    const mark = `600.${THIS_PROCESS}1`;
    const challenge = await makeRunChallenge({ limits: { wall_seconds: 600 } }, {}, { id: "iris" });
    const grader = await runGrader([challenge], { openSandbox: tests!.openSandbox });
    const program = `import subprocess; subprocess.run(["sleep", "${mark}"])`;
    const id = await grader.publish(await storeCode(grader.objects, { "main.py": program }));
    await until(() => running(mark).length > 0);
    await grader.queue.cancel(id);
    await until(() => running(mark).length === 0);
    grader.stop.abort();
    await grader.stopped;
    expect(grader.reports.map(({ type }) => type)).toEqual(["started", "progress"]);
    expect(await readdir(grader.workDir)).toEqual([]);
  });

  it("is killed when its grader stops; another grader runs the submission", async () => {
    const mark = `600.${THIS_PROCESS}2`;
    const challenge = await makeRunChallenge({ limits: { wall_seconds: 600 } }, {}, { id: "iris" });
    const grader = await runGrader([challenge], { openSandbox: tests!.openSandbox });
    const program = `import os, subprocess; subprocess.run(["sleep", "${mark}"])`;
    const id = await grader.publish(await storeCode(grader.objects, { "main.py": program }));
    await until(() => running(mark).length > 0);
    grader.stop.abort();
    await grader.stopped;
    expect(running(mark)).toEqual([]);
    expect(await readdir(grader.workDir)).toEqual([]);
    expect((await grader.report(id, "released")).reason).toBe("The grader is stopping.");
    const other = grader.start();
    await until(() => running(mark).length > 0);
    other.stop.abort();
    await other.stopped;
  });
});

it("a grader without boxes takes no job of a challenge that runs code, and reports why", async () => {
  const challenge = await makeRunChallenge({}, {}, { id: "iris" });
  const grader = await runGrader([challenge], { openSandbox: async () => ({ missing: "it is not Linux" }) });
  await grader.publish(await storeCode(grader.objects, { "main.py": "" }));
  const attached = async () => (await grader.queue.attached())[0];
  while ((await attached())?.unable?.iris !== "it is not Linux") await sleep(5);
  expect(await attached()).toMatchObject({ challenges: [] });
  expect(grader.reports).toEqual([]);
});
