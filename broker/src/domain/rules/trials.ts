import { CrowdaiError } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";

const HOUR = 3_600_000;

/**
 * Throws too_many_requests when `more` calls of the function of the challenge's check would exceed its limit
 * per hour. They cost no slot, so that this limit keeps them from measuring the answers.
 */
export async function requireTrials(
  db: Db,
  { id: challenge, check }: Pick<ChallengeConfig, "id" | "check">,
  call: { function: string; participantId: number; more: number },
  now: Date,
): Promise<void> {
  if (!check || check.function !== call.function) return;
  const since = now.getTime() - HOUR;
  const { used, oldest } = await db
    .selectFrom("submissions")
    .select([sql<number>`count(*)`.as("used"), sql<string | null>`min(created_at)`.as("oldest")])
    .where("participant_id", "=", call.participantId)
    .where("challenge", "=", challenge)
    .where("function", "=", call.function)
    .where("created_at", ">", iso(since))
    .executeTakeFirstOrThrow();
  if (Number(used) + call.more <= check.per_hour) return;
  const next_at = oldest && iso(Date.parse(oldest) + HOUR);
  throw new CrowdaiError(
    "too_many_requests",
    `${challenge} allows ${check.per_hour} trials of its check per hour; you made ${used}.`,
    {
      next: `${next_at ? `The next one is possible at ${next_at}. ` : ""}Submissions are also checked before their slot is charged.`,
      details: { limit: check.per_hour, used: Number(used), next_at },
    },
  );
}
