import { isLastEvent, type SubmissionEvent } from "@crowdai/shared";
import { readEvents } from "../domain/submissions/events.ts";
import type { Db } from "../records/records.ts";

/** Resolves at a submission's next event, or when the signal is aborted. */
export type NextEvent = (submission: string, signal: AbortSignal) => Promise<void>;

/** A message between brokers may be lost, so the records are checked again after this time. */
const RECHECK_MS = 10_000;

/**
 * Yields a submission's events from the first to the last, as they are written. Ends early when the signal is
 * aborted.
 */
export async function* followEvents(
  db: Db,
  nextEvent: NextEvent,
  submission: string,
  signal: AbortSignal,
): AsyncGenerator<SubmissionEvent> {
  let after = 0;
  while (!signal.aborted) {
    const looked = new AbortController();
    const ended = AbortSignal.any([signal, looked.signal, AbortSignal.timeout(RECHECK_MS)]);
    // Listens before reading, so that no event in between is missed.
    const arrived = nextEvent(submission, ended);
    const events = await readEvents(db, submission, after);
    if (events.length === 0) await arrived;
    looked.abort();
    for (const event of events) {
      yield event;
      after = event.seq;
      if (isLastEvent(event.type)) return;
    }
  }
}
