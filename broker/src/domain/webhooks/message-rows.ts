import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";

const CLAIM_MS = 60_000;
const A_PASS = 100;

/** A message that a broker claimed, with its webhook. */
export type ClaimedMessage = NonNullable<Awaited<ReturnType<typeof claimMessage>>>;

/** Returns the webhooks that have messages to send now. */
export async function dueWebhooks(db: Db, now: Date): Promise<{ id: number; url: string }[]> {
  return db
    .selectFrom("webhooks")
    .select(["webhooks.id", "webhooks.url"])
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("webhook_messages")
          .select("webhook_messages.id")
          .whereRef("webhook_messages.webhook", "=", "webhooks.id")
          .where("ended_at", "is", null)
          .where("next_try_at", "<=", iso(now)),
      ),
    )
    .execute();
}

/** Returns messages of a webhook that are to be sent now, the longest due first. */
export async function dueMessages(db: Db, webhook: number, now: Date): Promise<number[]> {
  const rows = await db
    .selectFrom("webhook_messages")
    .select("id")
    .where("webhook", "=", webhook)
    .where("ended_at", "is", null)
    .where("next_try_at", "<=", iso(now))
    .where((eb) => eb.or([eb("claimed_until", "is", null), eb("claimed_until", "<", iso(now))]))
    .orderBy("next_try_at")
    .orderBy("id")
    .limit(A_PASS)
    .execute();
  return rows.map(({ id }) => id);
}

/** Claims a message for this broker for a while; null when another one has claimed or ended it. */
export async function claimMessage(db: Db, id: number, now: Date) {
  const claimed = await db
    .updateTable("webhook_messages")
    .set({ claimed_until: iso(now.getTime() + CLAIM_MS) })
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .where("next_try_at", "<=", iso(now))
    .where((eb) => eb.or([eb("claimed_until", "is", null), eb("claimed_until", "<", iso(now))]))
    .returningAll()
    .executeTakeFirst();
  if (!claimed) return null;
  const hook = await db
    .selectFrom("webhooks")
    .select(["challenge", "url"])
    .where("id", "=", claimed.webhook)
    .executeTakeFirst();
  return hook ? { ...claimed, ...hook } : null;
}

/** How a try ended: delivered or given up; a date is when the next one is due. */
export async function settleMessage(
  db: Db,
  { id, tries }: { id: number; tries: number },
  end: { outcome: "delivered" | "given_up" } | { next_try_at: string } | { released: true },
  now: Date,
  problem: string | null,
): Promise<void> {
  const changes =
    "outcome" in end
      ? { outcome: end.outcome, ended_at: iso(now), tries: tries + 1, problem }
      : "released" in end
        ? {}
        : { next_try_at: end.next_try_at, tries: tries + 1, problem };
  await db
    .updateTable("webhook_messages")
    .set({ claimed_until: null, ...changes })
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .execute();
}

/** Removes messages that ended, or whose webhook is gone, before `before`. */
export async function removeOldMessages(db: Db, before: Date): Promise<void> {
  await db
    .deleteFrom("webhook_messages")
    .where((eb) =>
      eb.or([
        eb("ended_at", "<", iso(before)),
        eb.and([
          eb("created_at", "<", iso(before)),
          eb("webhook", "not in", eb.selectFrom("webhooks").select("id")),
        ]),
      ]),
    )
    .execute();
}
