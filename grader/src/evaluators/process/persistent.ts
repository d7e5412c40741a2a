import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Evaluator } from "../protocol/evaluator.ts";
import { fault } from "../protocol/evaluator-failure.ts";
import type { Launch } from "./launch.ts";
import { startWarmProcess, type WarmProcess } from "./warm-process.ts";

export interface PersistentOptions {
  launch: Launch;
  /** Where processes have their home folders. */
  folder: string;
  /** How long an unused process is kept. */
  idleMs: number;
}

/**
 * Warm processes that take line after line. One is started when a job finds none free, so there are never more than
 * jobs at once; one that misbehaved or went away is replaced by the next job's.
 */
export function createPersistentEvaluator({ launch, folder, idleMs }: PersistentOptions): Evaluator {
  const idle: { process: WarmProcess; timer: NodeJS.Timeout }[] = [];
  const all = new Set<Promise<void>>();
  let closed = false;

  async function start(): Promise<WarmProcess> {
    const home = join(folder, `home-${randomUUID()}`);
    await mkdir(home, { recursive: true, mode: 0o700 });
    const process = startWarmProcess(launch, home);
    const gone = process.ended.then(() => rm(home, { recursive: true, force: true })).catch(() => {});
    all.add(gone);
    gone.then(() => all.delete(gone));
    return process;
  }

  // The one used last: its memory is warm, and the others can grow idle and go.
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
        verdict: fault("evaluator_silent", "two processes ended one after another without reading the job"),
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
