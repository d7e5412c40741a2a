import type { WebhookEvent } from "@crowdai/shared/challenge-folder";
import type { Db } from "../../records/records.ts";

/** A challenge's webhook, and how its messages of the last 30 days fared. */
export interface ListedWebhook {
  challenge: string;
  url: string;
  events: WebhookEvent[];
  delivered: number;
  waiting: number;
  given_up: number;
  /** When a message was last delivered. */
  delivered_at: string | null;
  /** Why the latest message that was not taken was not. */
  problem: string | null;
}

/** Returns the webhooks of a challenge, or of all, in the order in which they were added. */
export async function listWebhooks(db: Db, challenge?: string): Promise<ListedWebhook[]> {
  const hooks = await db
    .selectFrom("webhooks")
    .selectAll()
    .$if(challenge !== undefined, (query) => query.where("challenge", "=", challenge as string))
    .orderBy("challenge")
    .orderBy("id")
    .execute();
  return Promise.all(
    hooks.map(async ({ id, challenge, url, events }) => {
      const counts = await db
        .selectFrom("webhook_messages")
        .select(({ fn }) => ["outcome", fn.countAll().as("messages"), fn.max("ended_at").as("latest")])
        .where("webhook", "=", id)
        .groupBy("outcome")
        .execute();
      const of = (outcome: (typeof counts)[number]["outcome"]) =>
        counts.find((row) => row.outcome === outcome);
      const failed = await db
        .selectFrom("webhook_messages")
        .select("problem")
        .where("webhook", "=", id)
        .where("problem", "is not", null)
        .orderBy("next_try_at", "desc")
        .limit(1)
        .executeTakeFirst();
      return {
        ...{ challenge, url, events: JSON.parse(events) as WebhookEvent[] },
        delivered: Number(of("delivered")?.messages ?? 0),
        waiting: Number(of(null)?.messages ?? 0),
        given_up: Number(of("given_up")?.messages ?? 0),
        delivered_at: of("delivered")?.latest ?? null,
        problem: failed?.problem ?? null,
      };
    }),
  );
}
