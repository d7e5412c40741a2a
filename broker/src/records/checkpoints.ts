import { extname } from "node:path";
import type { Worker } from "node:worker_threads";

/** How many commits are copied together: one of a busy broker has some 80 pages, one of an idle broker 12. */
const COMMITS = 32;
/**
 * Pages that the log may have until the thread that commits copies them itself, as it does from 1,000 on by
 * default.
 */
export const IN_PLACE_AFTER_PAGES = 8000;

/** Copies what is in SQLite's log to the database. */
export interface Checkpoints {
  /** Records that the log has grown by a commit. */
  committed(): void;
  /** Waits for a copy that is under way. */
  close(): Promise<void>;
}

export type LoadWorker = () => Promise<{
  Worker: new (file: URL, options: { workerData: string }) => Worker;
}>;

interface Thread {
  worker: Worker;
  /** Resolves when it has ended, however. */
  ended: Promise<void>;
}

/**
 * Copies in a thread of its own: a copy writes up to thousands of pages and waits for the disk twice, and all
 * other work would wait for it. Where the thread cannot be started or fails, SQLite copies once the log has
 * `IN_PLACE_AFTER_PAGES`.
 */
export function createCheckpoints(
  file: string,
  load: LoadWorker = () => import("node:worker_threads"),
): Checkpoints {
  let commits = 0;
  /** Stays when the thread has failed. */
  let isCopying = false;
  let thread: Promise<Thread> | null = null;

  async function start(): Promise<Thread> {
    // Loaded here: a command that changes little needs no thread.
    const { Worker } = await load();
    const worker = new Worker(workerUrl(), { workerData: file });
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    worker.on("exit", () => resolve());
    worker.on("error", () => resolve());
    worker.on("message", () => {
      isCopying = false;
    });
    worker.unref();
    return { worker, ended };
  }

  return {
    committed() {
      if (++commits < COMMITS || isCopying) return;
      commits = 0;
      isCopying = true;
      thread ??= start();
      thread.then(
        ({ worker }) => worker.postMessage("copy"),
        () => {},
      );
    },
    async close() {
      const started = await thread?.catch(() => {});
      if (!started) return;
      started.worker.ref();
      started.worker.postMessage("end");
      await started.ended;
    },
  };
}

/** Returns the URL of the worker, which is in the same folder, also in the built package. */
function workerUrl(): URL {
  const here = import.meta.url;
  return new URL(`./checkpoint.worker${extname(here)}`, here);
}
