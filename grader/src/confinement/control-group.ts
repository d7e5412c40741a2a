import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { killEach, memoryOf } from "./process-tree.ts";

const PREFIX = "crowdai-";
/** The group of a grader that moved out of the one that it was started in. */
const GRADER = "crowdai-grader";
/** When this process started, in ticks of the kernel's clock. */
const OWN_START = startOf(process.pid);
const RETRY_MS = 10;
const MAX_RETRIES = 300;

/** Where the grader may make groups: folders of the kernel's control groups, version 1 or 2. */
export interface GroupHierarchies {
  /** For the log. */
  readonly name: string;
  /** Groups that limit memory, and with version 2 the rest too. */
  readonly memory: string;
  /**
   * With version 1, where groups are made to count processes and CPU time; null where that is not possible.
   */
  readonly processes: string | null;
  readonly cpu: string | null;
}

export interface GroupLimits {
  memoryBytes: number | null;
  /** When given, the group also counts CPU time. */
  processes?: number;
}

/** Some processes with all their descendants, wherever these go. */
export interface ControlGroup {
  /** A process joins by writing its id to each of these files. */
  readonly joinFiles: readonly string[];
  /** Whether the kernel can limit the memory of the members. */
  readonly limitsMemory: boolean;
  /**
   * Limits the members of a group that was made without these limits. Returns false when they use more memory
   * already.
   */
  limit(limits: GroupLimits): boolean;
  /** Kills all members now. A member may fork meanwhile, so callers repeat it until `close` resolves. */
  kill(): void;
  /** Whether the kernel killed a member because the group reached its memory limit. */
  ranOutOfMemory(): boolean;
  /** Whether the members used more memory together than they may, also where the kernel does not limit it. */
  exceedsMemory(): boolean;
  usage(): { cpuMs: number; peakMemoryBytes: number };
  /** Kills all members. Resolves when none is left and the group was removed. */
  close(): Promise<void>;
  /** Closes it while the grader exits, when nothing can be awaited. */
  closeNow(): void;
}

/**
 * Returns where groups may be made: below the grader's own group or, in a namespace of groups, below the
 * mounted root.
 */
export function groupHierarchies(): GroupHierarchies[] {
  const own = readText("/proc/self/cgroup")
    .split("\n")
    .map((line) => line.split(":"));
  const firstWithin = (controller: string) => {
    const path = own.find(([, controllers]) => controllers?.split(",").includes(controller))?.[2];
    if (path === undefined) return [];
    return [path, "/"]
      .map((below) => join(`/sys/fs/cgroup/${controller}`, below))
      .filter((folder) => existsSync(join(folder, "cgroup.procs")));
  };
  const memory = firstWithin("memory");
  if (memory.length > 0)
    return memory.map((folder) => ({
      name: "control groups (version 1)",
      memory: folder,
      processes: firstWithin("pids")[0] ?? null,
      cpu: firstWithin("cpuacct")[0] ?? null,
    }));
  const unified = own.find(([number]) => number === "0")?.[2];
  if (unified === undefined) return [];
  // Its own groups are beside it, not below: a grader that looks again finds the same place.
  const started = basename(unified) === GRADER ? dirname(unified) : unified;
  return [started, "/"]
    .map((path) => join("/sys/fs/cgroup", path))
    .filter((folder) => existsSync(join(folder, "cgroup.procs")))
    .map((folder) => ({ name: "control groups (version 2)", memory: folder, processes: null, cpu: null }));
}

/**
 * With version 2, lets the groups below a folder limit memory and processes. A folder with such groups has no
 * processes of its own: the grader moves to a group below, if it is the only process there.
 */
export function enableControllers({ memory: folder }: GroupHierarchies): void {
  const control = join(folder, "cgroup.subtree_control");
  if (!existsSync(control)) return;
  const enable = () => {
    for (const name of ["memory", "pids"]) writeFileSync(control, `+${name}`);
  };
  try {
    enable();
  } catch {
    if (membersOf(folder).some((pid) => pid !== process.pid)) return;
    tryTo(() => {
      const leaf = join(folder, GRADER);
      mkdirSync(leaf, { recursive: true });
      writeFileSync(join(leaf, "cgroup.procs"), String(process.pid));
      enable();
    });
  }
}

/** Makes a group. Throws when the grader may not. */
export function createControlGroup(hierarchies: GroupHierarchies, limits: GroupLimits): ControlGroup {
  const name = `${PREFIX}${process.pid}.${OWN_START}-${randomUUID()}`;
  const memory = join(hierarchies.memory, name);
  const more = limits.processes === undefined ? [] : [hierarchies.processes, hierarchies.cpu];
  const folders = [memory, ...more.filter((folder) => folder !== null).map((folder) => join(folder, name))];
  for (const folder of folders) mkdirSync(folder);
  // Each look into a group asks for files that exist only: a missing one costs as much as ten that are there.
  const files = filesOf(folders);
  const limit = ({ memoryBytes, processes }: GroupLimits): boolean => {
    if (processes !== undefined) for (const folder of folders) set(folder, "pids.max", String(processes));
    if (memoryBytes === null) return true;
    const bytes = String(memoryBytes);
    const isSet = [
      set(memory, "memory.limit_in_bytes", bytes),
      set(memory, "memory.memsw.limit_in_bytes", bytes),
      set(memory, "memory.max", bytes),
    ];
    set(memory, "memory.swap.max", "0");
    set(memory, "memory.oom.group", "1");
    return !isSet.includes(false);
  };
  limit(limits);

  const kill = () => {
    if (existsSync(join(memory, "cgroup.kill"))) tryTo(() => writeFileSync(join(memory, "cgroup.kill"), "1"));
    for (const folder of folders) killEach(membersOf(folder));
  };
  return {
    joinFiles: folders.map((folder) => join(folder, "cgroup.procs")),
    limitsMemory: ["memory.limit_in_bytes", "memory.max"].some((file) => existsSync(join(memory, file))),
    limit,
    kill,
    ranOutOfMemory: () => outOfMemoryKills(files) > 0,
    exceedsMemory: () =>
      limits.memoryBytes !== null &&
      (outOfMemoryKills(files) > 0 || memoryOf(membersOf(memory)) > limits.memoryBytes),
    usage: () => ({ cpuMs: cpuOf(files), peakMemoryBytes: peakMemoryOf(files) }),
    async close() {
      for (const folder of folders) await removeGroup(folder);
    },
    closeNow() {
      for (const folder of folders) removeGroupNow(folder);
    },
  };
}

/** Kills and removes the groups of graders that no longer exist. Returns how many there were. */
export function removeAbandonedGroups({ memory, processes, cpu }: GroupHierarchies): number {
  let count = 0;
  for (const base of [memory, processes, cpu]) {
    if (base === null) continue;
    for (const name of readdirSync(base)) {
      const [, pid, start] = name.match(`^${PREFIX}(\\d+)(?:\\.(\\d+))?-`) ?? [];
      // Another process may have the number of a killed grader.
      const isRunning = existsSync(`/proc/${pid}`) && (start === undefined || start === startOf(Number(pid)));
      if (pid === undefined || isRunning) continue;
      count++;
      void removeGroup(join(base, name));
    }
  }
  return count;
}

/** Returns when a process started, in ticks of the kernel's clock; "" when there is none. */
function startOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

async function removeGroup(folder: string): Promise<void> {
  // The last member is often gone within a millisecond.
  for (let retry = 0; retry < MAX_RETRIES && !tryToRemove(folder); retry++)
    await sleep(Math.min(retry + 1, RETRY_MS));
}

function removeGroupNow(folder: string): void {
  const wait = new Int32Array(new SharedArrayBuffer(4));
  for (let retry = 0; retry < RETRY_MS * 10 && !tryToRemove(folder); retry++) Atomics.wait(wait, 0, 0, 1);
}

/** Kills the members. Returns whether there is no such group now. */
function tryToRemove(folder: string): boolean {
  if (existsSync(join(folder, "cgroup.kill"))) tryTo(() => writeFileSync(join(folder, "cgroup.kill"), "1"));
  killEach(membersOf(folder));
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** Processes of another namespace are listed as 0, and a signal to 0 would reach the grader. */
function membersOf(folder: string): number[] {
  return readText(join(folder, "cgroup.procs"))
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 1);
}

/** Files of a group that tell what its members used; null where the kernel has none. */
type GroupFiles = Record<"kills" | "cpu" | "peak", string | null>;

function filesOf(folders: readonly string[]): GroupFiles {
  const first = (...names: string[]) =>
    folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path)) ??
    null;
  return {
    kills: first("memory.oom_control", "memory.events"),
    cpu: first("cpuacct.usage", "cpu.stat"),
    peak: first("memory.max_usage_in_bytes", "memory.peak"),
  };
}

const outOfMemoryKills = ({ kills }: GroupFiles) =>
  Number((kills && readText(kills).match(/^oom_kill (\d+)$/m)?.[1]) || 0);

function cpuOf({ cpu }: GroupFiles): number {
  if (cpu === null) return 0;
  const text = readText(cpu);
  if (cpu.endsWith("cpuacct.usage")) return Number(text) / 1e6;
  return Number(text.match(/^usage_usec (\d+)$/m)?.[1] ?? 0) / 1e3;
}

const peakMemoryOf = ({ peak }: GroupFiles) => Number(peak && readText(peak));

/** Returns false when the kernel refuses it. A file is absent where the group has no such controller. */
function set(folder: string, file: string, value: string): boolean {
  return !existsSync(join(folder, file)) || tryTo(() => writeFileSync(join(folder, file), value));
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function tryTo(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    // The group has gone, or the kernel lacks this.
    return false;
  }
}
