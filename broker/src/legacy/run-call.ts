import { asBrokerError, logMachineError } from "../base/machine-error.ts";
import { findSubmission } from "../domain/submissions/find-submission.ts";
import { viewSubmission } from "../domain/submissions/view-submission.ts";
import { followEvents, type NextEvent } from "./follow-events.ts";
import { errorMessage, finalMessage, progressMessage } from "./job-messages.ts";
import type { JobMessage } from "./messages.ts";
import type { PlannedJob } from "./plan-call.ts";
import { type SubmitContext, submitJob, submitJobs } from "./submit-job.ts";

export interface CallRun extends SubmitContext {
  jobs: PlannedJob[];
  /** Throws once the key of the call no longer works. */
  requireKey(): Promise<unknown>;
  parallel: boolean;
  nextEvent: NextEvent;
  /** Aborted when the client disconnects. */
  gone: AbortSignal;
  /** Sends the state of a job to the client while the call runs. */
  say(jobId: string, sequence: number, message: JobMessage): void;
}

/**
 * Runs the jobs of a call: all at once when they are parallel, else one after another. Resolves with their
 * outcomes, in order. When the client disconnects, running submissions continue, the remaining ones are still
 * submitted, and evaluations that have not started are dropped.
 */
export async function runCall(run: CallRun): Promise<JobMessage[]> {
  const { jobs, parallel } = run;
  const isEvaluation = jobs.every((job) => "value" in job && job.function !== "submit");
  if (isEvaluation && parallel) {
    const ids = await submitJobs(run, jobs);
    return Promise.all(ids.map((id, sequence) => followJob(run, id, sequence)));
  }
  const ends: Promise<JobMessage>[] = [];
  for (const [sequence, job] of jobs.entries()) {
    if (run.gone.aborted && isEvaluation) break;
    // Submitted one after another in any case: their order is the order of arrival.
    const end = await submitWithKey(run, job).then(
      (id) => ({ heard: followJob(run, id, sequence) }),
      (error) => ({ heard: Promise.resolve(refused(run, error, sequence)) }),
    );
    ends.push(end.heard);
    if (!parallel) await end.heard;
  }
  return Promise.all(ends);
}

/** Submits one job. A call may take hours: each of its jobs needs a key that still works. */
async function submitWithKey(run: CallRun, job: PlannedJob): Promise<string> {
  await run.requireKey();
  return submitJob(run, job);
}

/** Sends every event of a submission until it ends. */
async function followJob(run: CallRun, id: string, sequence: number): Promise<JobMessage> {
  const { context, caller, nextEvent, gone } = run;
  const { db } = context.records;
  try {
    for await (const event of followEvents(db, nextEvent, id, gone)) {
      const word = progressMessage(event);
      if (word) run.say(id, sequence, word);
    }
    if (gone.aborted) return errorMessage("The connection was closed.", id);
    const word = finalMessage(await viewSubmission(context, db, await findSubmission(db, caller, id)));
    run.say(id, sequence, word);
    return word;
  } catch (error) {
    return refused(run, error, sequence, id);
  }
}

function refused(run: CallRun, thrown: unknown, sequence: number, id = ""): JobMessage {
  const error = asBrokerError(thrown);
  logMachineError(run.context.log, error);
  if (error.code === "unexpected")
    run.context.log.error({ event: "legacy_call_failed", err: thrown }, "legacy call failed unexpectedly");
  const word = errorMessage(error.message, id || null);
  run.say(id, sequence, word);
  return word;
}
