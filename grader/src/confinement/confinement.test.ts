import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { isAlive, makeEvaluator } from "../testing/evaluation.ts";
import type { Confinement } from "./confinement.ts";
import { openControlGroups } from "./control-groups.ts";
import { openSubreaper, processTrees } from "./subreaper.ts";

const path = process.env.PATH!;
const controlGroups = await openControlGroups();
const subreaper = await openSubreaper(path);

/** Leaves a process that has its own session, no parent, no environment and no open files. */
const DAEMON = `
import json, os, subprocess, sys, time
job = json.loads(sys.stdin.readline())
read, write = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.write(write, str(os.getpid()).encode())
        for fd in range(10):
            try: os.close(fd)
            except OSError: pass
        os.execve("/bin/sleep", ["sleep", "300"], {})
    os._exit(0)
pid = int(os.read(read, 20))
time.sleep(0.05)
def done(): print(json.dumps({"id": job["id"], "type": "result", "score": pid}), flush=True)
`;

const kinds: [string, Confinement | null][] = [
  ["control groups", controlGroups],
  ["a subreaper", subreaper],
];

describe.each(kinds)("an evaluator confined by %s", (_, confinement) => {
  const evaluator = (script: string, more: object = {}) =>
    makeEvaluator(
      { command: ["python3", "evaluate.py"], ...more },
      { "evaluate.py": DAEMON + script },
      { confinement: confinement! },
    );

  it.runIf(confinement)("leaves no daemon behind when it ends", async () => {
    const { run } = await evaluator("done()");
    const { verdict } = await run();
    if (verdict.kind !== "result") throw new Error(JSON.stringify(verdict));
    expect(await isAlive(verdict.result.score!)).toBe(false);
  });

  it.runIf(confinement)("leaves no daemon behind when it is killed", async () => {
    const { run } = await evaluator(
      `import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(json.dumps({"id": job["id"], "type": "log", "message": str(pid)}), flush=True); time.sleep(60)`,
      { timeout_seconds: 1.5 },
    );
    const { verdict, events } = await run();
    expect(verdict).toMatchObject({ code: "evaluator_timeout" });
    expect(await isAlive(Number((events[0] as { message: string }).message))).toBe(false);
  });

  it.runIf(confinement)("shares one memory limit with its children", async () => {
    const { run } = await evaluator(
      `for i in range(10):
    if os.fork() == 0:
        block = bytearray(40 << 20); time.sleep(60); os._exit(0)
time.sleep(5); done()`,
      { memory_mb: 64 },
    );
    const { verdict } = await run();
    expect(verdict).toMatchObject({ kind: "failure", code: "evaluator_memory" });
  });

  it.runIf(confinement)("exits as it does on its own", async () => {
    const { run } = await evaluator(`os.kill(pid, 9); sys.exit(7)`);
    expect((await run()).verdict).toMatchObject({ code: "evaluator_crashed", detail: "exit code 7" });
    const killed = await evaluator(`os.kill(os.getpid(), 11)`);
    expect((await killed.run()).verdict).toMatchObject({ detail: "killed by SIGSEGV" });
  });
});

it.runIf(controlGroups)(
  "control groups are removed after use, and those of a killed grader at the next start",
  async () => {
    const own = `crowdai-${process.pid}.`;
    // It also ends with an error when a group of another test is removed while it looks.
    const groups = () =>
      spawnSync("find", ["/sys/fs/cgroup", "-type", "d", "-name", "crowdai-*"], { encoding: "utf8" }).stdout;
    const confined = controlGroups!.start(null);
    expect(groups()).toContain(own);
    await confined.close();
    expect(groups()).not.toContain(own);
    const { mkdir } = await import("node:fs/promises");
    const base = confined.prefix.at(-2)!.split("/").slice(0, -2).join("/");
    // No process has the first number, and no other test uses it. The second is that of this process, which
    // another had before.
    const left = [`crowdai-${4_194_305 + process.pid}-left`, `crowdai-${process.pid}.1-left`];
    for (const name of left) await mkdir(`${base}/${name}`);
    await openControlGroups();
    const remaining = async () => (await readdir(base)).filter((name) => left.includes(name));
    for (let i = 0; i < 100 && (await remaining()).length > 0; i++) await sleep(10);
    expect(await remaining()).toEqual([]);
  },
);

it("without either, kills an evaluator with its children and its session", async () => {
  const { run } = await makeEvaluator(
    { command: ["python3", "evaluate.py"] },
    {
      "evaluate.py": `
import json, os, subprocess, sys
job = json.loads(sys.stdin.readline())
child = subprocess.Popen(["sleep", "300"], stdout=subprocess.DEVNULL, process_group=0)
print(json.dumps({"id": job["id"], "type": "result", "score": child.pid}), flush=True)`,
    },
    { confinement: processTrees },
  );
  const { verdict } = await run();
  if (verdict.kind !== "result") throw new Error(JSON.stringify(verdict));
  expect(await isAlive(verdict.result.score!)).toBe(false);
});
