import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Confined, Confinement } from "./confinement.ts";
import { killEach, memoryOf } from "./process-tree.ts";

const PREFIX = "crowdai-";
/** Joins the group, then becomes the evaluator. */
const JOIN = 'echo $$ > "$0" || exit 125; exec "$@"';
const RETRY_MS = 10;
const MAX_RETRIES = 300;

/**
 * Confines evaluators in control groups below the grader's own: groups of version 2, or those of version 1 that limit
 * memory. Null where the grader may not make groups.
 */
export async function openControlGroups(): Promise<Confinement | null> {
  for (const { base, name } of candidates()) {
    if (!existsSync(join(base, "cgroup.procs"))) continue;
    try {
      removeAbandoned(base);
      const trial = createGroup(base, null);
      const joined = await promisify(execFile)("/bin/sh", ["-c", JOIN, procsOf(trial), "/bin/true"]).then(
        () => true,
        () => false,
      );
      await closeGroup(trial);
      if (joined)
        return { name, start: (memoryBytes) => confine(createGroup(base, memoryBytes), memoryBytes) };
    } catch {
      // Read-only, or not delegated.
    }
  }
  return null;
}

/** Returns where groups may be made: below the grader's own group or, in a namespace of groups, below the mounted root. */
function candidates(): { base: string; name: string }[] {
  const own = readText("/proc/self/cgroup")
    .split("\n")
    .map((line) => line.split(":"));
  const memory = own.find(([, controllers]) => controllers?.split(",").includes("memory"))?.[2];
  const unified = own.find(([number]) => number === "0")?.[2];
  return [
    ...(memory === undefined
      ? []
      : [memory, "/"].map((path) => ({
          base: `/sys/fs/cgroup/memory${path}`,
          name: "control groups (version 1)",
        }))),
    ...(unified === undefined || memory !== undefined
      ? []
      : [unified, "/"].map((path) => ({
          base: `/sys/fs/cgroup${path}`,
          name: "control groups (version 2)",
        }))),
  ];
}

function createGroup(base: string, memoryBytes: number | null): string {
  const group = join(base, `${PREFIX}${process.pid}-${randomUUID()}`);
  mkdirSync(group);
  if (memoryBytes !== null) {
    const limit = String(memoryBytes);
    // Absent where the group has no memory controller: then the processes are polled.
    for (const [file, value] of [
      ["memory.limit_in_bytes", limit],
      ["memory.memsw.limit_in_bytes", limit],
      ["memory.max", limit],
      ["memory.swap.max", "0"],
      ["memory.oom.group", "1"],
    ] as const)
      if (existsSync(join(group, file))) tryTo(() => writeFileSync(join(group, file), value));
  }
  return group;
}

function confine(group: string, memoryBytes: number | null): Confined {
  let root: number | undefined;
  return {
    prefix: ["/bin/sh", "-c", JOIN, procsOf(group)],
    attach(pid) {
      root = pid;
    },
    kill() {
      // It may not have joined yet.
      if (root !== undefined) killEach([-root]);
      killGroup(group);
    },
    exceedsMemory: () =>
      memoryBytes !== null && (outOfMemoryKills(group) > 0 || memoryOf(membersOf(group)) > memoryBytes),
    close: () => closeGroup(group),
  };
}

/** Kills and removes the groups of graders that no longer exist. */
function removeAbandoned(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = name.match(`^${PREFIX}(\\d+)-`)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    void closeGroup(join(base, name));
  }
}

async function closeGroup(group: string): Promise<void> {
  for (let retry = 0; retry < MAX_RETRIES; retry++) {
    killGroup(group);
    try {
      rmdirSync(group);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      await sleep(RETRY_MS);
    }
  }
}

/** A member may fork while the others are killed, so callers repeat it until the group can be removed. */
function killGroup(group: string): void {
  if (existsSync(join(group, "cgroup.kill"))) tryTo(() => writeFileSync(join(group, "cgroup.kill"), "1"));
  killEach(membersOf(group));
}

/** Processes of another namespace are listed as 0, and a signal to 0 would reach the grader. */
function membersOf(group: string): number[] {
  return readText(procsOf(group))
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 1);
}

function outOfMemoryKills(group: string): number {
  const text = ["memory.oom_control", "memory.events"].map((file) => readText(join(group, file))).join("\n");
  return Number(text.match(/^oom_kill (\d+)$/m)?.[1] ?? 0);
}

const procsOf = (group: string) => join(group, "cgroup.procs");

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function tryTo(work: () => void): void {
  try {
    work();
  } catch {
    // The group has gone, or the kernel does not support it.
  }
}
