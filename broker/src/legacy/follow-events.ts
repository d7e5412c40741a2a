import { isLastEvent, type SubmissionEvent } from "@crowdai/shared";
import { readEvents } from "../domain/submissions/events.ts";
import type { Db } from "../records/records.ts";

/** Resolves at a submission's next event, or when the signal ends the wait. */
export type NextEvent = (submission: string, signal: AbortSignal) => Promise<void>;

/** A word between brokers may be lost; the records are looked at anyway after this time. */
const RECHECK_MS = 10_000;

/** A submission's events from its first to its last, as they are written. Ends early, without a word, with the signal. */
export async function* follow(
  db: Db,
  nextEvent: NextEvent,
  submission: string,
  signal: AbortSignal,
): AsyncGenerator<SubmissionEvent> {
  let after = 0;
  while (!signal.aborted) {
    const looked = new AbortController();
    const ended = AbortSignal.any([signal, looked.signal, AbortSignal.timeout(RECHECK_MS)]);
    // Waiting before reading: an event in between is not missed.
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
