import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { iso } from "../../base/clock.ts";
import { findClosure } from "../../domain/challenges/find-closure.ts";
import { readServing } from "../../domain/graders/queue-status.ts";
import { headOfQueue, queuedAt } from "../../domain/submissions/head-of-queue.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { queueChallengeMessages, writeMessage } from "../../domain/webhooks/queue-messages.ts";
import { commit } from "../../records/commit.ts";

const HOUR_MS = 3_600_000;
/** How long before the end of its last round a challenge is reported as closing. */
export const CLOSING_MS = 24 * HOUR_MS;
/** How old an end may be: a broker that was stopped for a while still reports it. */
const LATE_MS = 7 * 24 * HOUR_MS;
/** How long a job waits without a grader before that is reported. */
export const MISSING_MS = 60_000;

type SweepNeeds = Needs<"records" | "catalog" | "clock" | "graders" | "runsCode" | "dispatchStalled">;

/**
 * Writes the messages about challenges with webhooks: that one closes, that it closed, that no grader serves
 * it.
 */
export async function sweepChallenges(context: SweepNeeds): Promise<void> {
  for (const { config } of context.catalog.all().values()) {
    if (config.webhooks.length === 0) continue;
    await reportEnd(context, config);
    await reportMissingGrader(context, config.id);
  }
}

async function reportEnd({ records: { db }, clock }: SweepNeeds, config: ChallengeConfig): Promise<void> {
  const { id: challenge } = config;
  const now = clock().getTime();
  const ends = endOf(config);
  const closedAt = (await findClosure(db, challenge))?.closed_at;
  const closed = closedAt !== undefined && (ends === null || Date.parse(closedAt) < ends) ? closedAt : null;
  const message = (at: number) => ({
    ...{ challenge, subject: iso(at), at: iso(now) },
    data: { ends_at: ends === null ? null : iso(ends) },
  });
  if (closed !== null || (ends !== null && ends <= now)) {
    const at = Date.parse(closed ?? iso(ends as number));
    if (now - at < LATE_MS)
      await queueChallengeMessages(db, {
        ...message(at),
        event: "challenge.closed",
        data: { closed_at: iso(at) },
        since: iso(at),
      });
  } else if (ends !== null && ends - now <= CLOSING_MS)
    await queueChallengeMessages(db, { ...message(ends), event: "challenge.closing", since: iso(now) });
}

/** Returns when the last round ends; null while one has no end. */
function endOf({ rounds }: ChallengeConfig): number | null {
  if (rounds.some(({ ends_at }) => ends_at === null)) return null;
  return Math.max(...rounds.map(({ ends_at }) => Date.parse(ends_at as string)));
}

/** Sent once, until a grader has served the challenge again. */
async function reportMissingGrader(context: SweepNeeds, challenge: string): Promise<void> {
  const { records, clock } = context;
  const now = clock();
  const { graders, waiting } = await readServing(context, challenge);
  if (graders > 0) {
    await records.db
      .updateTable("webhooks")
      .set({ missing_since: null })
      .where("challenge", "=", challenge)
      .where("missing_since", "is not", null)
      .execute();
    return;
  }
  const head = await headOfQueue(records.db, challenge);
  // Also since the start of this broker, whose graders may still be on their way.
  const waitsSince = head ? Math.max(queuedAt(head), context.graders.lastSeen(challenge).getTime()) : null;
  if (!head || waitsSince === null || now.getTime() - waitsSince < MISSING_MS) return;
  const since = iso(queuedAt(head));
  await commit(records, "sweep-challenges", async (trx) => {
    // Two brokers may notice it at once: one of them changes the row.
    const receivers = await trx
      .updateTable("webhooks")
      .set({ missing_since: iso(now) })
      .where("challenge", "=", challenge)
      .where("missing_since", "is", null)
      .where("events", "like", '%"grader.missing"%')
      .returning("id")
      .execute();
    for (const { id } of receivers)
      await writeMessage(trx, id, {
        event: "grader.missing",
        subject: iso(now),
        data: { waiting_since: since, reason: waiting },
        at: iso(now),
      });
  });
}
