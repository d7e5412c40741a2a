import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { ControlGroup, GroupLimits } from "../../confinement/control-group.ts";
import type { ControlGroups } from "../../confinement/control-groups.ts";
import { starterArguments } from "./starter.ts";

/** A process that becomes a box when it gets the plan of one, and the control group that it is in. */
export interface Starter {
  readonly child: ChildProcess;
  readonly group: ControlGroup;
}

/**
 * Below this, a starter that is in its group already could use a part of the limit that the kernel then
 * refuses to set.
 */
const MIN_MEMORY_BYTES = 2 ** 24;

/** Starters that no box has taken, of all sandboxes of this process. */
const waiting = new Set<Starter>();
process.on("exit", closeWaiting);

/** Ends what waits while the grader exits, when nothing can be awaited. */
export function closeWaiting(): void {
  for (const starter of waiting) {
    waiting.delete(starter);
    starter.group.closeNow();
  }
}

/**
 * Returns a function that takes a starter. One that waits for the next box saves that box the start of a
 * process, which takes longer the more memory the grader has, and the joining of the control groups, for
 * which the kernel waits for all processors.
 */
export function createStarters(options: {
  perl: string;
  filterFile: string;
  groups: ControlGroups;
  /** Default: the runtime's. */
  spawnProcess?: typeof spawn;
}): (stdin: number | "pipe", limits: Required<GroupLimits>) => Starter {
  const { perl, filterFile, groups, spawnProcess = spawn } = options;
  let ready: Starter | null = null;

  function start(stdin: number | "pipe", limits: GroupLimits): Starter {
    const group = groups.create(limits);
    let filter: number | null = null;
    try {
      filter = openSync(filterFile, "r");
      const stdio = [stdin, "pipe", "pipe", "pipe", "pipe", "pipe", filter] as const;
      // Its environment can be read in the box.
      const child = spawnProcess(perl, starterArguments(group.joinFiles), {
        ...{ cwd: "/", env: {}, detached: true, stdio: [...stdio] },
      });
      return { child, group };
    } catch (error) {
      void group.close();
      throw error;
    } finally {
      if (filter !== null) closeSync(filter);
    }
  }

  function prepare(): void {
    if (ready) return;
    try {
      ready = start("pipe", { memoryBytes: null, processes: 1 });
    } catch {
      // Too many descriptors or processes, which the next box reports if it is still so.
      return;
    }
    const one = ready;
    hold(one, false);
    const forget = () => discard(one);
    one.child.once("exit", forget);
    one.child.once("error", forget);
    waiting.add(one);
  }

  function discard(one: Starter): void {
    if (waiting.delete(one)) void one.group.close();
    if (ready === one) ready = null;
  }

  function takeReady(limits: GroupLimits): Starter | null {
    if (!ready || (limits.memoryBytes !== null && limits.memoryBytes < MIN_MEMORY_BYTES)) return null;
    const one = ready;
    if (!one.group.limit(limits)) {
      discard(one);
      return null;
    }
    ready = null;
    waiting.delete(one);
    hold(one, true);
    return one;
  }

  return (stdin, limits) => {
    const starter = (stdin === "pipe" ? takeReady(limits) : null) ?? start(stdin, limits);
    // Starting a process blocks this one: the box begins meanwhile.
    setImmediate(prepare);
    return starter;
  };
}

/** Sets whether this process goes on while a starter exists. */
function hold({ child }: Starter, isHeld: boolean): void {
  for (const part of [child, ...(child.stdio ?? [])] as Partial<Record<"ref" | "unref", () => void>>[])
    part?.[isHeld ? "ref" : "unref"]?.();
}
