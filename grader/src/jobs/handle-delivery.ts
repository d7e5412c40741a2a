import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { asCrowdaiError, CrowdaiError, type Job, type Outcome } from "@crowdai/shared";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { Delivery, JobQueue } from "@crowdai/shared/queue";
import type { StepChannel } from "@crowdai/shared/step-channel";
import type { Logger } from "../base/log.ts";
import type { BundleCache, HeldFolder } from "../challenges/bundle-cache.ts";
import type { EvaluatorCache } from "../evaluators/evaluator-cache.ts";
import type { BuildCache } from "../run/build-cache.ts";
import type { Images } from "../run/images.ts";
import { type Boxes, requireBox } from "./boxes.ts";
import type { DoubtfulEvaluators } from "./doubtful-evaluators.ts";
import { grade } from "./grade-job.ts";
import type { Graded } from "./graded-result.ts";
import type { LeftChallenges } from "./left-challenges.ts";
import { isMachineError, namesMachineError } from "./machine-errors.ts";
import type { MachineHealth } from "./machine-health.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import { runToolsOf } from "./run-tools.ts";
import type { RunnableChallenges } from "./runnable-challenges.ts";
import type { Workspaces } from "./workspace.ts";

/** How often one grader attempts a job that fails through neither the submission nor the evaluator. */
const MAX_ATTEMPTS = 3;
/**
 * The attempts when an evaluator names such an error: with the pauses, a disk has a quarter of a minute to be
 * cleared.
 */
const MAX_SUSPICIOUS_ATTEMPTS = 6;
/**
 * The attempts for errors that say nothing about the job, though this machine passed a check right after
 * them.
 */
const MAX_ATTEMPTS_ON_THIS_MACHINE = 20;
const MAX_PAUSE_MS = 10_000;
const ELSEWHERE: ReadonlySet<string> = new Set(["challenge_unknown", "sandbox_unavailable", "grader_unfit"]);

export interface DeliveryHandler {
  /** Grades one delivery and reports the outcome. Throws when the queue is to deliver the job again. */
  handle(delivery: Delivery): Promise<void>;
  /** Aborts the running jobs, or some of them, and returns them to the queue. */
  stop(reason: CrowdaiError, which?: (job: Job) => boolean): void;
}

export function createDeliveryHandler(options: {
  grader: string;
  queue: JobQueue;
  objects: ObjectStore;
  runnable: RunnableChallenges;
  boxes: Boxes;
  builds: BuildCache;
  images: Images;
  evaluators: EvaluatorCache;
  doubtful: DoubtfulEvaluators;
  left: LeftChallenges;
  bundles: BundleCache;
  workspaces: Workspaces;
  health: MachineHealth;
  log: Logger;
  retryPauseMs: number;
  steps?: StepChannel | undefined;
}): DeliveryHandler {
  const { grader, queue, objects, runnable, boxes, evaluators, bundles, workspaces, health } = options;
  const { doubtful, left, log, retryPauseMs } = options;
  const runningJobs = new Map<AbortController, Job>();
  const failures = new Map<string, number>();
  let stopping: CrowdaiError | null = null;

  async function handle(delivery: Delivery): Promise<void> {
    if (delivery.signal.aborted) return;
    // It was on its way when the problem was found. Another grader may be able to run it.
    const problem = health.problem();
    if (problem !== null) throw new CrowdaiError("grader_unhealthy", problem);
    const { job } = delivery;
    const base = { submission: job.submission, attempt: job.attempt, delivery: delivery.delivery, grader };
    const controller = new AbortController();
    const cancel = () => controller.abort(delivery.signal.reason);
    delivery.signal.addEventListener("abort", cancel, { once: true });
    runningJobs.set(controller, job);
    let reporter = createReporter(queue, base, { log, folders: [] });
    try {
      if (delivery.unreadable !== undefined) throw leaveToNewer(job, "the job", delivery.unreadable);
      using held = job.version === null ? ownFolder(job) : await bundleFolder(job, controller.signal);
      const { folder } = held;
      const finish = async ({ outcome, organizerLog }: Graded) => {
        controller.signal.throwIfAborted();
        await reporter.finished(outcome, organizerLog).catch((cause) => {
          throw new CrowdaiError("report_failed", undefined, { cause });
        });
        failures.delete(keyOf(job));
        const result = outcome.ok ? "graded" : outcome.code;
        log.debug({ event: "job_finished", ...base, challenge: job.challenge, result }, "job finished");
      };
      let graded: Graded;
      {
        await using workspace = workspaces.take();
        reporter = createReporter(queue, base, { log, folders: [workspace.dir, folder.dir] });
        reporter.started();
        graded = await grade({
          job,
          folder,
          ...evaluators.of(folder),
          ...{ workspace, objects, grader, steps: options.steps },
          signal: controller.signal,
          runTools: () => runToolsOf({ boxes, builds: options.builds, images: options.images, grader }),
          onEvent: reporter.event,
          onStage: reporter.stage,
        });
        if (graded.outcome.ok) {
          doubtful.worked(folder);
          return await finish(graded);
        }
      }
      // After the workspace was removed: an evaluator that filled the disk is not the machine's problem.
      await requireOwnFailure(job, graded);
      if (await doubtful.leavesToOthers(folder, graded))
        throw new CrowdaiError("grader_unfit", undefined, { cause: graded.evaluatorLog });
      await finish(graded);
    } catch (thrown) {
      // Cancelled, or already delivered to another grader: a report would be ignored.
      if (delivery.signal.aborted) return reporter.stop();
      await release(job, reporter, thrown, controller.signal);
    } finally {
      runningJobs.delete(controller);
      delivery.signal.removeEventListener("abort", cancel);
    }
  }

  /** Throws when the evaluator failed because of this machine. The job is then not to be blamed for it. */
  async function requireOwnFailure(job: Job, { outcome, evaluatorLog }: Graded): Promise<void> {
    if (outcome.ok) return;
    const suspicious = namesMachineError(`${outcome.message}\n${evaluatorLog}`);
    if (outcome.code === "rejected" ? !suspicious : !/^(?:evaluator|env)_/.test(outcome.code)) return;
    const problem = await health.check();
    if (problem !== null) throw new CrowdaiError("grader_unhealthy", problem);
    // The evaluator may need more than a check does, or the problem was gone before the check.
    const isRepeated = (failures.get(keyOf(job)) ?? 0) >= MAX_SUSPICIOUS_ATTEMPTS - 1;
    if (suspicious && !isRepeated)
      throw new CrowdaiError("grader_unhealthy", undefined, { cause: evaluatorLog });
  }

  function ownFolder(job: Job): HeldFolder {
    const folder = runnable.folderOf(job);
    if (!folder)
      throw new CrowdaiError("challenge_unknown", "This grader does not have the challenge's folder.");
    return { folder: { ...folder, dir: resolve(folder.dir) }, [Symbol.dispose]() {} };
  }

  async function bundleFolder(job: Job, signal: AbortSignal): Promise<HeldFolder> {
    const held = await bundles.hold(job, signal).catch((error) => {
      // The broker has found no mistake in it.
      const isUnknown = error instanceof CrowdaiError && error.details?.mistakes !== undefined;
      throw isUnknown ? leaveToNewer(job, "the challenge's bundle", error) : error;
    });
    try {
      await requireBox(held.folder, boxes, job);
      return held;
    } catch (error) {
      held[Symbol.dispose]();
      // Another grader may have boxes. This one takes no more such jobs of the challenge.
      runnable.refuseBundle(job, held.folder);
      throw error;
    }
  }

  /** Takes no more jobs of the challenge for a while, so that a grader of another version gets this one. */
  function leaveToNewer(job: Job, what: string, cause: unknown): CrowdaiError {
    const reason = `${what} is not readable for this grader, which may be older than the broker`;
    left.leave(job.challenge, reason);
    return new CrowdaiError("grader_unfit", `Not graded here: ${reason}.`, { cause });
  }

  /**
   * Throws, so that the queue delivers the job again. After the last attempt it reports a failure instead,
   * unless this machine has a problem: it takes no more jobs until that is gone, and no job ends because of
   * it.
   */
  async function release(job: Job, reporter: Reporter, thrown: unknown, signal: AbortSignal): Promise<void> {
    const error = asCrowdaiError(thrown);
    const problem = stopping === null ? await health.check() : null;
    if (problem === null && (stopping === null || signal.reason !== stopping)) {
      // Another grader may have the challenge, the boxes or the evaluator that this one lacks.
      const isElsewhere = ELSEWHERE.has(error.code);
      const count = isElsewhere ? 1 : (failures.get(keyOf(job)) ?? 0) + 1;
      failures.set(keyOf(job), count);
      const { submission, attempt } = job;
      log.error({ event: "grading_failed", submission, attempt, count, err: thrown }, "grading failed");
      // An unreachable store says nothing about the job, however long the outage lasts.
      if (count >= maxAttempts(error) && error.code !== "store_unreachable") {
        failures.delete(keyOf(job));
        const message = `Grading failed ${count} times: ${error.message}`;
        const outcome: Outcome = { ok: false, code: "gave_up", message, evaluator_version: "" };
        return await reporter.finished(outcome, describe(thrown));
      }
      const pause = Math.min(retryPauseMs * 2 ** (count - 1), MAX_PAUSE_MS);
      await sleep(pause, undefined, { signal }).catch(() => {});
    }
    await reporter.released(signal.aborted && stopping ? stopping.message : (problem ?? error.message));
    throw error;
  }

  return {
    handle,
    stop(reason, which = () => true) {
      stopping ??= reason;
      for (const [controller, job] of runningJobs) if (which(job)) controller.abort(stopping);
    },
  };
}

function maxAttempts(error: CrowdaiError): number {
  const saysNothing =
    error.code === "report_failed" || error.code === "grader_unhealthy" || isMachineError(error);
  return saysNothing ? MAX_ATTEMPTS_ON_THIS_MACHINE : MAX_ATTEMPTS;
}

function keyOf(job: Job): string {
  return `${job.submission} ${job.attempt}`;
}

function describe(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause !== undefined ? `\ncause: ${thrown.cause}` : "";
  return `${thrown}${cause}`;
}
