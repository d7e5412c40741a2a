import { once } from "node:events";
import { readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { replacePrograms, withoutDescriptors } from "../../testing/replaced-programs.ts";
import { DESCRIPTORS } from "./starter.ts";
import { closeWaiting, createStarters } from "./starters.ts";

const LIMITS = { memoryBytes: 2 ** 24, processes: 10 };
/** Of a starter that no box has taken. */
const WAITING = { memoryBytes: null, processes: 1 };

/** A program that is called instead of Perl waits for a plan, as a starter does. */
describe("a box", () => {
  let machine: ReturnType<typeof replacePrograms>;
  let filterFile: string;
  let take: ReturnType<typeof createStarters>;
  beforeEach(() => {
    machine = replacePrograms();
    machine.add("perl", `exec cat <&${DESCRIPTORS.arguments}`);
    filterFile = join(machine.folder, "filter");
    writeFileSync(filterFile, "the filter\n");
    const { groups, spawnProcess } = machine;
    take = createStarters({ ...{ perl: join(machine.programs, "perl"), filterFile }, groups, spawnProcess });
  });
  afterEach(() => {
    closeWaiting();
    machine.remove();
  });

  it("takes the starter that waits, with the limits of the box, and the next one waits", async () => {
    const { groups, spawned } = machine;
    const first = take("pipe", LIMITS);
    expect(groups.limits).toEqual([LIMITS]);
    // Starting a process blocks the grader, and the box begins meanwhile.
    expect(spawned).toEqual([first.child]);
    await nextTurn();
    expect(groups.limits).toEqual([LIMITS, WAITING]);
    const second = take("pipe", LIMITS);
    expect(second.child).toBe(spawned[1]);
    expect(second.group).toBe(groups.made[1]);
    expect(groups.limits).toEqual([LIMITS, WAITING, LIMITS]);
    await nextTurn();
    expect(spawned).toHaveLength(3);
    expect(take("pipe", { ...LIMITS, memoryBytes: null }).child).toBe(spawned[2]);
    expect(groups.open()).toBe(3);
  });

  it("takes no second starter that waits, and only one waits", async () => {
    take("pipe", LIMITS);
    take("pipe", LIMITS);
    expect(machine.spawned).toHaveLength(2);
    await nextTurn();
    await nextTurn();
    expect(machine.spawned).toHaveLength(3);
  });

  it("begins in a new process when it reads a file, or has less memory than the one that waits may use", async () => {
    const { spawned } = machine;
    take("pipe", LIMITS);
    await nextTurn();
    expect(take(0, LIMITS).child).toBe(spawned[2]);
    expect(take("pipe", { ...LIMITS, memoryBytes: 2 ** 24 - 1 }).child).toBe(spawned[3]);
    await nextTurn();
    expect(take("pipe", LIMITS).child).toBe(spawned[1]);
  });

  it("begins in a new process when the one that waits cannot be limited: that one is closed", async () => {
    const { groups, spawned } = machine;
    take("pipe", LIMITS);
    await nextTurn();
    groups.refusesLimits = true;
    const { child } = take("pipe", LIMITS);
    expect(child).toBe(spawned[2]);
    expect(groups.open()).toBe(2);
    groups.refusesLimits = false;
    await nextTurn();
    expect(take("pipe", LIMITS).child).toBe(spawned[3]);
  });

  it("begins in a new process when the one that waited was killed: that one is closed", async () => {
    const { groups, spawned } = machine;
    take("pipe", LIMITS);
    await nextTurn();
    spawned[1]!.kill("SIGKILL");
    await once(spawned[1]!, "exit");
    expect(groups.open()).toBe(1);
    expect(take("pipe", LIMITS).child).toBe(spawned[2]);
  });

  it("keeps its group when its process ends after it was taken", async () => {
    const { groups, spawned } = machine;
    take("pipe", LIMITS);
    await nextTurn();
    const { child } = take("pipe", LIMITS);
    await nextTurn();
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(groups.open()).toBe(3);
    expect(take("pipe", LIMITS).child).toBe(spawned[2]);
  });

  it("gets from a starter the plan, the filter and nothing of the grader", async () => {
    machine.add(
      "perl",
      `cat <&${DESCRIPTORS.arguments}; cat <&${DESCRIPTORS.filter}; export -p; pwd; printf '%s\\n' "$3" "\${10}" "\${13}"
read -r _ _ _ _ _ session _ < /proc/$$/stat; [ $session = $$ ] && echo "a session of its own"; ls -l /proc/$$/fd | grep -c filter >&2`,
    );
    machine.groups.joinFiles = ["/groups/members"];
    const { child } = take("pipe", LIMITS);
    const said = Promise.all([text(child.stdout!), text(child.stderr!)]);
    ((child.stdio as unknown[])[DESCRIPTORS.arguments] as Writable).end("the plan\n");
    const [stdout, stderr] = await said;
    const lines = stdout.split("\n").filter((line) => !/^(export (PWD|OLDPWD|SHLVL|_)\b.*)?$/.test(line));
    expect(lines).toEqual([
      ...["the plan", "the filter", "/", "--"],
      ...[expect.stringMatching(/^\d+$/), "/groups/members", "a session of its own"],
    ]);
    expect(stderr).toBe("1\n");
  });

  it("leaves the filter open in its starter alone", async () => {
    take("pipe", LIMITS);
    await nextTurn();
    const open = readdirSync("/proc/self/fd").filter((fd) => linkOf(fd) === filterFile);
    expect(open).toEqual([]);
  });

  it("that cannot be started leaves no group", async () => {
    const { groups, spawned } = machine;
    groups.refuses = true;
    expect(() => take("pipe", LIMITS)).toThrow("no more groups");
    groups.refuses = false;
    rmSync(filterFile);
    expect(() => take("pipe", LIMITS)).toThrow("ENOENT");
    writeFileSync(filterFile, "");
    machine.startProcess = () => {
      throw new Error("spawn E2BIG");
    };
    expect(() => take("pipe", LIMITS)).toThrow("E2BIG");
    expect(groups.open()).toBe(0);
    const open = readdirSync("/proc/self/fd").filter((fd) => linkOf(fd) === filterFile);
    expect([open, spawned]).toEqual([[], []]);
  });

  it("begins although the next starter cannot wait, and none waits then", async () => {
    const { groups } = machine;
    const start = machine.startProcess;
    const onUncaught = vi.fn();
    process.on("uncaughtException", onUncaught);
    take("pipe", LIMITS);
    groups.refuses = true;
    await nextTurn();
    groups.refuses = false;
    await nextTurn();
    process.off("uncaughtException", onUncaught);
    expect(onUncaught).not.toHaveBeenCalled();
    expect(machine.spawned).toHaveLength(1);
    take("pipe", LIMITS);
    machine.startProcess = withoutDescriptors;
    await nextTurn();
    machine.startProcess = start;
    await expect.poll(() => groups.open()).toBe(2);
    expect(take("pipe", LIMITS).child).toBe(machine.spawned[3]);
  });

  it("that waits holds no grader that wants to end, and its group is closed then", async () => {
    const { groups } = machine;
    const held = () => process.getActiveResourcesInfo().filter((name) => /Process|Pipe/.test(name)).length;
    take("pipe", LIMITS);
    const before = held();
    await nextTurn();
    if (!process.versions.bun) expect(held()).toBe(before);
    expect(process.listeners("exit")).toContain(closeWaiting);
    closeWaiting();
    expect(groups.open()).toBe(1);
    closeWaiting();
    expect(groups.open()).toBe(1);
  });

  it("that was taken holds the grader", async () => {
    if (process.versions.bun) return;
    const held = () => process.getActiveResourcesInfo().filter((name) => /Process|Pipe/.test(name)).length;
    take("pipe", LIMITS);
    await nextTurn();
    const before = held();
    take("pipe", LIMITS);
    expect(held()).toBeGreaterThan(before + 4);
  });
});

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}
