import { createHash } from "node:crypto";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { Job, Report } from "@crowdai/shared";
import { bundleContents, bundleKey, imagePaths, packBundle } from "@crowdai/shared/bundles";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { createFolderStore, type ObjectStore } from "@crowdai/shared/objects";
import { createEmbeddedQueue, type JobQueue } from "@crowdai/shared/queue";
import { jobOf } from "@crowdai/shared/queue/contract";
import { onTestFinished } from "vitest";
import type { Logger } from "../base/log.ts";
import { createGrader, type GraderOptions } from "../jobs/grader.ts";
import { temporaryFolder } from "./challenge.ts";

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export interface RunningGrader {
  queue: JobQueue;
  objects: ObjectStore;
  workDir: string;
  challenges: Map<string, ChallengeFolder>;
  reports: Report[];
  /** Publishes a job and returns its id. By default it is a small value for `submit`. */
  publish(job?: Partial<Job>): Promise<string>;
  /** Stores bytes as a broker would, and returns the input that refers to them. */
  store(
    name: string,
    bytes: string | Buffer,
    kind?: "file" | "json",
  ): Promise<Exclude<Job["input"], { kind: "inline" | "code" | "session" }>>;
  /** Stores a challenge folder as a bundle. Returns the fields of a job that name it. */
  storeBundle(folder: ChallengeFolder): Promise<Pick<Job, "version" | "bundle">>;
  /** Resolves with the first report of a type for a submission, past or future. */
  report<T extends Report["type"]>(submission: string, type: T): Promise<Extract<Report, { type: T }>>;
  /** Starts another grader on the same queue. */
  start(options?: Partial<GraderOptions>): { stop: AbortController; stopped: Promise<void> };
  stop: AbortController;
  stopped: Promise<void>;
}

/** Starts a grader on an embedded queue and a folder store, and stops everything after the test. */
export async function runGrader(
  folders: ChallengeFolder[],
  options: Partial<GraderOptions> = {},
): Promise<RunningGrader> {
  const grader = await runGraderIn(await temporaryFolder(), folders, options);
  onTestFinished(grader.close);
  return grader;
}

/** Does the same in a folder, until it is closed. */
export async function runGraderIn(
  dir: string,
  folders: ChallengeFolder[],
  options: Partial<GraderOptions> = {},
): Promise<RunningGrader & { close(): Promise<void> }> {
  const queue = createEmbeddedQueue();
  const objects = await createFolderStore({
    folder: join(dir, "objects"),
    baseUrl: () => "http://localhost",
    secret: "s",
  });
  const challenges = new Map(folders.map((folder) => [folder.config.id, folder]));
  const reports: Report[] = [];
  const waiting = new Set<() => void>();
  const receiving = new AbortController();
  const received = queue.receive(async (report) => {
    reports.push(report);
    for (const check of waiting) check();
  }, receiving.signal);

  const runs: { stop: AbortController; stopped: Promise<void> }[] = [];
  const workDir = join(dir, "work");
  function start(more: Partial<GraderOptions> = {}) {
    const stop = new AbortController();
    const grader = createGrader({
      name: `grader-${runs.length + 1}`,
      queue,
      objects,
      challenges: () => challenges,
      concurrency: 4,
      log: silent,
      workDir: runs.length === 0 ? workDir : `${workDir}-${runs.length + 1}`,
      path: process.env.PATH,
      graceSeconds: 0.2,
      retryPauseMs: 10,
      ...options,
      ...more,
    });
    const run = { stop, stopped: grader.run(stop.signal) };
    runs.push(run);
    return run;
  }
  const close = async () => {
    for (const run of runs) run.stop.abort();
    await Promise.allSettled(runs.map((run) => run.stopped));
    receiving.abort();
    await received;
    await queue.close();
    await objects.close();
  };

  let jobs = 0;
  let keys = 0;
  return {
    close,
    queue,
    objects,
    workDir,
    challenges,
    reports,
    ...start(),
    start,
    async publish(job = {}) {
      const submission = job.submission ?? `submission-${++jobs}`;
      await queue.publish(jobOf(submission, job));
      return submission;
    },
    async store(name, bytes, kind = "file") {
      const body = Buffer.from(bytes);
      const key = `submissions/iris/stored-${++keys}/input`;
      await objects.put(key, body);
      return { kind, key, name, size: body.length, sha256: createHash("sha256").update(body).digest("hex") };
    },
    async storeBundle({ dir, config }) {
      const contents = await bundleContents(dir, imagePaths(config));
      const { version } = contents;
      const body = await buffer(packBundle(contents));
      const key = bundleKey(config.id, version);
      await objects.put(key, body);
      return {
        version,
        bundle: { key, size: body.length, sha256: createHash("sha256").update(body).digest("hex") },
      };
    },
    report(submission, type) {
      return new Promise((resolve) => {
        const check = () => {
          const found = reports.find((report) => report.submission === submission && report.type === type);
          if (!found) return;
          waiting.delete(check);
          resolve(found as never);
        };
        waiting.add(check);
        check();
      });
    },
  };
}
