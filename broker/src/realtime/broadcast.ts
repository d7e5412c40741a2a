import { setImmediate } from "node:timers/promises";
import { isLastEvent, type LiveEvent, type Place, type SubmissionEvent } from "@crowdai/shared";
import { inFairOrder, readQueue, readServed } from "../domain/graders/queue-positions.ts";
import { readQueueStatus, type Waiting, waitsAsSession } from "../domain/graders/queue-status.ts";
import { readEvents } from "../domain/submissions/events.ts";
import { submissionWithId } from "../domain/submissions/find-submission.ts";
import type { Needs } from "../domain/submissions/services.ts";
import { type ViewNeeds, viewSubmission } from "../domain/submissions/view-submission.ts";
import type { Watchers } from "./watchers.ts";

const BATCH = 500;
const AT_A_STRETCH = 200;

/** Delivers events to the clients of this broker that watch a submission. */
export interface Broadcast {
  /** Delivers events in order. Skips those delivered before, and reads missing ones first. */
  deliver(events: SubmissionEvent[]): void;
  /** Records that the watchers of a submission have received everything up to `seq`. */
  caughtUp(submission: string, seq: number): void;
  /**
   * Checks the records for events that were not announced here: another broker wrote them, and its message
   * was lost.
   */
  catchUp(): Promise<void>;
  /** Number of submissions with watchers here. */
  watched(): number;
  /** Sends queue positions that have changed. */
  sendQueuePositions(): Promise<void>;
}

/** The services that delivering events uses. */
export type BroadcastNeeds = ViewNeeds & Needs<"records" | "catalog" | "log">;

export function createBroadcast(watchers: Watchers, context: () => BroadcastNeeds): Broadcast {
  const delivered = new Map<string, number>();
  const lastSent = new Map<string, Pick<Waiting, "place" | "reason" | "graders">>();
  // One at a time for each submission: a final event waits for its view, and no other event may overtake it.
  const pending = new Map<string, Promise<void>>();

  function enqueueFor(id: string, work: () => Promise<void>): void {
    const turn = (pending.get(id) ?? Promise.resolve())
      .then(work)
      .catch((error) =>
        context().log.error(
          { event: "event_delivery_failed", err: error, submission: id },
          "event delivery failed",
        ),
      )
      .finally(() => {
        if (pending.get(id) === turn) pending.delete(id);
      });
    pending.set(id, turn);
  }

  async function deliverOne(event: SubmissionEvent): Promise<void> {
    const id = event.submission;
    if (!watchers.has(id)) return;
    const last = delivered.get(id) ?? event.seq - 1;
    if (event.seq <= last) return;
    if (event.seq === last + 1) return emit(event);
    for (const missing of await readEvents(context().records.db, id, last)) await emit(missing);
  }

  async function emit(event: SubmissionEvent): Promise<void> {
    const id = event.submission;
    delivered.set(id, event.seq);
    const live: LiveEvent = { event, submission: null };
    const final = isLastEvent(event.type);
    if (final) {
      const { db } = context().records;
      const row = await submissionWithId(db, { id });
      if (row) live.submission = await viewSubmission(context(), db, row);
    }
    watchers.send(id, "event", live);
    if (!final) return;
    watchers.end(id);
    delivered.delete(id);
  }

  function sendQueuePosition(id: string, { place, reason, expectedAt, graders }: Waiting): void {
    const last = lastSent.get(id);
    if (last?.place === place && last.reason === reason && last.graders === graders) return;
    lastSent.set(id, { place, reason, graders });
    const message: Place = { submission: id, place, waiting: reason, expected_at: expectedAt, graders };
    watchers.send(id, "place", message);
  }

  return {
    deliver(events) {
      for (const event of events)
        if (watchers.has(event.submission)) enqueueFor(event.submission, () => deliverOne(event));
    },

    caughtUp(id, seq) {
      if (!delivered.has(id)) delivered.set(id, seq);
    },

    async catchUp() {
      const ids = watchers.submissions();
      for (let at = 0; at < ids.length; at += BATCH) {
        const rows = await context()
          .records.db.selectFrom("submissions")
          .select(["id", "seq"])
          .where("id", "in", ids.slice(at, at + BATCH))
          .execute();
        for (const { id, seq } of rows) {
          const last = delivered.get(id) ?? seq;
          if (seq <= last) continue;
          const missed = await readEvents(context().records.db, id, last);
          for (const event of missed) enqueueFor(id, () => deliverOne(event));
        }
      }
    },

    watched: () => watchers.submissions().length,

    async sendQueuePositions() {
      const ids = new Set(watchers.submissions());
      for (const known of [lastSent, delivered])
        for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
      if (ids.size === 0) return;
      const { db } = context().records;
      for (const challenge of context().catalog.all().keys()) {
        // Reads the queue once, instead of counting for each waiting submission.
        const arrived = await readQueue(db, challenge);
        if (arrived.length === 0) continue;
        const queue = inFairOrder(arrived, await readServed(db, challenge, arrived[0]!.accepted_at));
        const [waitingAt, sessionWaitingAt] = [
          await readQueueStatus(context(), challenge, false),
          await readQueueStatus(context(), challenge, true),
        ];
        for (const [index, entry] of queue.entries()) {
          const waiting = waitsAsSession(entry) ? sessionWaitingAt : waitingAt;
          if (ids.has(entry.id)) sendQueuePosition(entry.id, waiting(index + 1));
          // Yields to other work in between, because a queue may be long.
          if (index % AT_A_STRETCH === AT_A_STRETCH - 1) await setImmediate();
        }
      }
    },
  };
}
