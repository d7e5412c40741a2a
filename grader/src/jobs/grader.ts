import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { asCrowdaiError, CrowdaiError, type Job, type Outcome } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import { findProcessLimitTools } from "@crowdai/shared/process-limits";
import type { Delivery, JobQueue } from "@crowdai/shared/queue";
import type { Logger } from "../base/log.ts";
import { type BundleCache, createBundleCache, type HeldFolder } from "../challenges/bundle-cache.ts";
import { unsupportedReason } from "../challenges/unsupported-challenge.ts";
import { createEvaluatorCache, type EvaluatorCache } from "../evaluators/evaluator-cache.ts";
import { grade } from "./grade-job.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import { createWorkspaces, type Workspaces } from "./workspace.ts";

export interface GraderOptions {
  /** Unique among the graders of a queue. */
  name: string;
  queue: JobQueue;
  objects: ObjectStore;
  /** The challenges this grader serves, by id; asked again for every job, so that folders may come and change. */
  challenges: () => ReadonlyMap<string, ChallengeFolder>;
  /** Ids of challenges without a folder here that are graded from bundles; asked again as `challenges` is. */
  bundled?: () => Iterable<string>;
  /** Most jobs at once. */
  concurrency: number;
  log: Logger;
  /** A folder of this grader alone. What lies in its `workspaces` and `bundles` is removed at start and at the end. */
  workDir: string;
  /** How long jobs in hand may go on after a stop, before they are handed back. */
  graceSeconds?: number;
  /** How long an unused warm evaluator is kept. */
  idleSeconds?: number;
  /** Pause before a job that failed by this machine's or the platform's fault is handed back; doubled each time. */
  retryPauseMs?: number;
  /** PATH of the evaluators; this process's own when absent. */
  path?: string;
}

export interface Grader {
  readonly name: string;
  /**
   * Takes and grades jobs until the signal is aborted; then takes no more, gives those in hand their grace, hands
   * back what is not done, and resolves when no evaluator is left. Until then its reports need the queue's receiver.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** How often one grader tries a job that fails by no fault of the submission or the evaluator. */
const TRIES = 3;
const MAX_PAUSE_MS = 10_000;

/** Throws config_invalid naming every challenge whose evaluator this grader cannot run as it asks to be run. */
export function createGrader(options: GraderOptions): Grader {
  const { name, queue, objects, challenges, log } = options;
  const mistakes = [...challenges().values()].map(unsupportedReason).filter((mistake) => mistake !== null);
  if (mistakes.length > 0)
    throw new CrowdaiError("config_invalid", mistakes.join("\n"), { details: { mistakes } });

  const root = join(options.workDir, "workspaces");
  const bundlesDir = join(options.workDir, "bundles");
  const path = options.path ?? process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin";
  const stopping = new CrowdaiError("interrupted", "The grader is stopping.");
  const runningJobs = new Set<AbortController>();
  const failures = new Map<string, number>();
  const refused = new Set<string>();

  // A challenge that came after the start with a mistake is left alone, and told once.
  function served(): ChallengeFolder[] {
    return [...challenges().values()].filter((folder) => {
      const mistake = unsupportedReason(folder);
      if (mistake && !refused.has(mistake)) log.error({ challenge: folder.config.id }, mistake);
      if (mistake) refused.add(mistake);
      return mistake === null;
    });
  }

  async function handle(
    delivery: Delivery,
    {
      evaluators,
      bundles,
      workspaces,
    }: { evaluators: EvaluatorCache; bundles: BundleCache; workspaces: Workspaces },
  ): Promise<void> {
    const { job } = delivery;
    const about = {
      submission: job.submission,
      attempt: job.attempt,
      delivery: delivery.delivery,
      grader: name,
    };
    const controller = new AbortController();
    const cancel = () => controller.abort(delivery.signal.reason);
    if (delivery.signal.aborted) return;
    delivery.signal.addEventListener("abort", cancel, { once: true });
    runningJobs.add(controller);
    let reporter = createReporter(queue, about, { log, folders: [] });
    try {
      using held =
        job.version === null ? ownFolder(job) : await bundleFolder(job, bundles, controller.signal);
      const { folder } = held;
      await using workspace = workspaces.take();
      reporter = createReporter(queue, about, { log, folders: [workspace.dir, folder.dir] });
      reporter.started();
      const { outcome, organizerLog } = await grade({
        job,
        folder,
        ...evaluators.of(folder),
        workspace,
        objects,
        signal: controller.signal,
        onEvent: reporter.event,
      });
      controller.signal.throwIfAborted();
      await reporter.finished(outcome, organizerLog);
      failures.delete(keyOf(job));
      log.debug(
        { ...about, challenge: job.challenge, result: outcome.ok ? "graded" : outcome.code },
        "job done",
      );
    } catch (thrown) {
      // Cancelled, or another grader's by now: nobody waits for a word of this one.
      if (delivery.signal.aborted) return reporter.stop();
      await releaseJob(job, reporter, thrown, controller.signal);
    } finally {
      runningJobs.delete(controller);
      delivery.signal.removeEventListener("abort", cancel);
    }
  }

  function ownFolder(job: Job): HeldFolder {
    const folder = served().find((one) => one.config.id === job.challenge);
    if (!folder)
      throw new CrowdaiError("challenge_unknown", "This grader does not have the challenge's folder.");
    return { folder: { ...folder, dir: resolve(folder.dir) }, [Symbol.dispose]() {} };
  }

  async function bundleFolder(job: Job, bundles: BundleCache, signal: AbortSignal): Promise<HeldFolder> {
    const held = await bundles.hold(job, signal);
    const mistake = unsupportedReason(held.folder);
    if (mistake === null) return held;
    held[Symbol.dispose]();
    throw new CrowdaiError("config_invalid", mistake);
  }

  /** Throws, so that the queue hands the job out again; unless it was tried often enough here, which is an outcome. */
  async function releaseJob(
    job: Job,
    reporter: Reporter,
    thrown: unknown,
    signal: AbortSignal,
  ): Promise<void> {
    const error = asCrowdaiError(thrown);
    if (signal.reason !== stopping) {
      // What this grader does not have, another one may have.
      const count = error.code === "challenge_unknown" ? 1 : (failures.get(keyOf(job)) ?? 0) + 1;
      failures.set(keyOf(job), count);
      log.error(
        { submission: job.submission, attempt: job.attempt, count, err: thrown },
        "a job could not be graded",
      );
      // A store that is away comes back, and says nothing of the job however long that takes.
      if (count >= TRIES && error.code !== "store_unreachable") {
        failures.delete(keyOf(job));
        const message = `Grading was tried ${TRIES} times and failed each time: ${error.message}`;
        const outcome: Outcome = { ok: false, code: "gave_up", message, evaluator_version: "" };
        return await reporter.finished(outcome, describe(thrown));
      }
      const pause = Math.min((options.retryPauseMs ?? 500) * 2 ** (count - 1), MAX_PAUSE_MS);
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
    await reporter.released(signal.reason === stopping ? stopping.message : error.message);
    throw error;
  }

  return {
    name,
    async run(signal) {
      await rm(root, { recursive: true, force: true });
      await rm(bundlesDir, { recursive: true, force: true });
      await mkdir(root, { recursive: true, mode: 0o700 });
      const workspaces = createWorkspaces(root, log);
      const bundles = createBundleCache({ objects, dir: bundlesDir, log });
      const limitTools = await findProcessLimitTools(path);
      if (!limitTools.prlimit)
        log.warn({}, "prlimit (util-linux) is missing: evaluators run without memory limit");
      if (!limitTools.setpriv)
        log.warn({}, "setpriv (util-linux) is missing: evaluators may outlive a killed grader");
      const evaluators = createEvaluatorCache({
        limitTools,
        path,
        folder: root,
        idleMs: (options.idleSeconds ?? 300) * 1000,
      });

      let grace: NodeJS.Timeout | undefined;
      const onStop = () => {
        grace = setTimeout(
          () => {
            for (const controller of runningJobs) controller.abort(stopping);
          },
          (options.graceSeconds ?? 10) * 1000,
        );
      };
      if (signal.aborted) onStop();
      else signal.addEventListener("abort", onStop, { once: true });
      try {
        await queue.consume(
          {
            grader: name,
            challenges: () => [
              ...new Set([...served().map(({ config }) => config.id), ...(options.bundled?.() ?? [])]),
            ],
            concurrency: options.concurrency,
            signal,
          },
          (delivery) => handle(delivery, { evaluators, bundles, workspaces }),
        );
      } finally {
        signal.removeEventListener("abort", onStop);
        clearTimeout(grace);
        await evaluators.close();
        await bundles.close();
        await rm(root, { recursive: true, force: true, maxRetries: 3 });
      }
    },
  };
}

function keyOf(job: Job): string {
  return `${job.submission} ${job.attempt}`;
}

function describe(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? `\ncause: ${thrown.cause}` : "";
  return `${thrown}${cause}`;
}
