import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { iso } from "../../base/clock.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { commit } from "../../records/commit.ts";

type Wanted = ChallengeConfig["webhooks"];

/**
 * Returns a function that records the webhooks of every challenge of the catalog, when they changed since its
 * last call: the transactions that end submissions write messages for them. Messages for a webhook that was
 * removed are dropped.
 */
export function createWebhookRecorder({
  records,
  catalog,
  clock,
}: Needs<"records" | "catalog" | "clock">): () => Promise<void> {
  const recorded = new Map<string, string>();
  return async () => {
    for (const [challenge, { config }] of catalog.all()) {
      const wanted = JSON.stringify(config.webhooks);
      if (recorded.get(challenge) === wanted) continue;
      await recordWebhooks({ records, clock }, challenge, config.webhooks);
      recorded.set(challenge, wanted);
    }
  };
}

async function recordWebhooks(
  { records, clock }: Needs<"records" | "clock">,
  challenge: string,
  wanted: Wanted,
): Promise<void> {
  const known = await records.db
    .selectFrom("webhooks")
    .select(["id", "url"])
    .where("challenge", "=", challenge)
    .execute();
  if (known.length === 0 && wanted.length === 0) return;
  const removed = known.filter(({ url }) => !wanted.some((hook) => hook.url === url)).map(({ id }) => id);
  await commit(records, "record-webhooks", async (trx) => {
    if (removed.length > 0) {
      await trx.deleteFrom("webhook_messages").where("webhook", "in", removed).execute();
      await trx.deleteFrom("webhooks").where("id", "in", removed).execute();
    }
    for (const { url, events } of wanted)
      await trx
        .insertInto("webhooks")
        .values({
          challenge,
          url,
          events: JSON.stringify(events),
          created_at: iso(clock()),
          missing_since: null,
        })
        .onConflict((conflict) =>
          conflict.columns(["challenge", "url"]).doUpdateSet({ events: JSON.stringify(events) }),
        )
        .execute();
  });
}
