import { CrowdaiError } from "@crowdai/shared";
import type { Transaction } from "kysely";
import { commit } from "../../records/commit.ts";
import type { Records } from "../../records/records.ts";
import type { Tables } from "../../records/tables.ts";
import { RANKED } from "../leaderboard/boards.ts";
import { recountParticipant } from "../leaderboard/recount-participant.ts";
import { lockOwner } from "../participants/api-keys.ts";
import { findDisqualifications } from "../participants/disqualifications.ts";
import { standingsLock } from "../submissions/find-submission.ts";

/** A decision about a participant: in one challenge, or with null in all of them. */
export interface DecisionRequest {
  name: string;
  challenge: string | null;
  now: string;
}

const MAX_REASON = 1000;

/**
 * Takes a participant off the boards and refuses further submissions, until reinstated. Throws usage when the
 * participant is unknown, or disqualified already.
 */
export async function disqualify(
  records: Records,
  { name, challenge, reason, now }: DecisionRequest & { reason: string },
): Promise<void> {
  const why = reason.trim();
  if (why === "" || why.length > MAX_REASON)
    throw new CrowdaiError("usage", `--reason must have 1 to ${MAX_REASON} characters.`);
  await commit(records, "disqualify", async (trx) => {
    const id = await lockOwner(records, trx, "participant", name);
    const known = await findDisqualifications(trx, id);
    const same = known.find((each) => each.challenge === challenge);
    if (same)
      throw new CrowdaiError(
        "usage",
        `${name} is already disqualified ${extentOf(challenge)}, since ${same.at}: ${same.reason}`,
        { next: "Reinstate the participant first to give another reason." },
      );
    await trx
      .insertInto("disqualifications")
      .values({ participant_id: id, challenge, decision: "disqualified", reason: why, at: now })
      .execute();
    await recount(records, trx, id, challenge);
  });
}

/**
 * Lets a participant count again as before: in one challenge, or everywhere. Returns the challenges, null for
 * all. Throws usage when the participant is unknown or not disqualified there.
 */
export async function reinstate(
  records: Records,
  { name, challenge, now }: DecisionRequest,
): Promise<(string | null)[]> {
  return commit(records, "reinstate", async (trx) => {
    const id = await lockOwner(records, trx, "participant", name);
    const known = await findDisqualifications(trx, id);
    const lifted = known.filter((each) => challenge === null || each.challenge === challenge);
    if (lifted.length === 0)
      throw new CrowdaiError("usage", `${name} is not disqualified ${extentOf(challenge)}.`, {
        next:
          known.length === 0
            ? "Run `crowdai-broker participant list` to see the names."
            : "Run `crowdai-broker participant reinstate <name>` without --challenge to lift all disqualifications.",
      });
    for (const each of lifted)
      await trx
        .insertInto("disqualifications")
        .values({
          participant_id: id,
          challenge: each.challenge,
          decision: "reinstated",
          reason: null,
          at: now,
        })
        .execute();
    await recount(records, trx, id, challenge);
    return lifted.map((each) => each.challenge);
  });
}

export const extentOf = (challenge: string | null): string =>
  challenge === null ? "in all challenges" : `in ${challenge}`;

/**
 * Rebuilds the participant's standings; always in the same order of rounds, so that two of these wait for one
 * another.
 */
async function recount(
  records: Records,
  trx: Transaction<Tables>,
  participantId: number,
  only: string | null,
): Promise<void> {
  const rounds = await trx
    .selectFrom("submissions")
    .select(["challenge", "round"])
    .distinct()
    .where("participant_id", "=", participantId)
    .where(RANKED)
    .$if(only !== null, (rows) => rows.where("challenge", "=", only as string))
    .orderBy("challenge")
    .orderBy("round")
    .execute();
  for (const challenge of new Set(rounds.map((each) => each.challenge)))
    await records.lockShared(trx, standingsLock(challenge));
  for (const { challenge, round } of rounds)
    await recountParticipant(trx, { challenge, round, participantId });
}
