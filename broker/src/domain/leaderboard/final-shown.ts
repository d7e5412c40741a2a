import { type ChallengeConfig, roundState } from "@crowdai/shared/challenge-folder";
import type { Db } from "../../records/records.ts";
import { findClosure } from "../challenges/find-closure.ts";

/**
 * Returns whether the final scores of a round are shown: once the round has ended or the challenge is closed.
 * Before that, nobody but organizers may learn them.
 */
export async function isFinalShown(
  db: Db,
  config: Pick<ChallengeConfig, "id" | "rounds"> | undefined,
  round: string,
  now: Date,
): Promise<boolean> {
  const known = config?.rounds.find(({ id }) => id === round);
  if (!config || !known) return false;
  return roundState(known, now) === "ended" || (await findClosure(db, config.id)) !== null;
}
