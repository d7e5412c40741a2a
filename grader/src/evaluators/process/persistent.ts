import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Evaluator } from "../protocol/evaluator.ts";
import { evaluatorFailure } from "../protocol/evaluator-failure.ts";
import { createInbox } from "./boxed-launch.ts";
import type { Launch } from "./launch.ts";
import { startWarmProcess, type WarmProcess } from "./warm-process.ts";

export interface PersistentOptions {
  launch: Launch;
  /** The folder of the processes' home folders. */
  folder: string;
  /** How long an idle process is kept. */
  idleMs: number;
}

/**
 * Runs jobs in warm processes, each of which takes one job after another. A process is started when none is
 * idle, so there are never more than running jobs. A process that misbehaved or exited is replaced for the
 * next job.
 */
export function createPersistentEvaluator({ launch, folder, idleMs }: PersistentOptions): Evaluator {
  const idle: { process: WarmProcess; timer: NodeJS.Timeout }[] = [];
  const all = new Set<Promise<void>>();
  let closed = false;

  async function start(): Promise<WarmProcess> {
    const home = join(folder, `home-${randomUUID()}`);
    await mkdir(home, { recursive: true, mode: 0o700 });
    const inbox = launch.box ? createInbox(home) : null;
    const process = startWarmProcess(launch, home, inbox);
    const gone = process.ended.then(() => rm(home, { recursive: true, force: true })).catch(() => {});
    all.add(gone);
    gone.then(() => all.delete(gone));
    return process;
  }

  // Takes the one used last: its memory is warm, and the others can reach their idle limit.
  function takeIdle(): WarmProcess | undefined {
    for (let entry = idle.pop(); entry; entry = idle.pop()) {
      clearTimeout(entry.timer);
      if (entry.process.usable()) return entry.process;
    }
    return undefined;
  }

  function returnToPool(process: WarmProcess) {
    if (!process.usable()) return;
    if (closed) return process.kill();
    const timer = setTimeout(() => {
      idle.splice(
        idle.findIndex((entry) => entry.process === process),
        1,
      );
      process.kill();
    }, idleMs);
    timer.unref();
    idle.push({ process, timer });
  }

  return {
    async evaluate(job) {
      for (const process of [takeIdle(), undefined]) {
        const used = process ?? (await start());
        try {
          const evaluated = await used.evaluate(job);
          if (evaluated !== "again") return evaluated;
        } finally {
          returnToPool(used);
        }
      }
      return {
        verdict: evaluatorFailure(
          "evaluator_silent",
          "two processes exited in succession without reading the job",
        ),
        stderr: "",
      };
    },
    async close() {
      closed = true;
      for (let process = takeIdle(); process; process = takeIdle()) process.kill();
      await Promise.all(all);
    },
  };
}
