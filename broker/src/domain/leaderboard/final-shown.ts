import { type ChallengeConfig, roundState } from "@crowdai/shared/challenge-folder";
import type { Clock } from "../../base/clock.ts";
import type { Db, Records } from "../../records/records.ts";
import type { Catalog } from "../challenges/catalog.ts";
import { findClosure } from "../challenges/find-closure.ts";

/** What deciding about final scores uses. */
export interface FinalSources {
  records: Records;
  catalog: Catalog;
  clock: Clock;
}

/**
 * Returns whether the final scores of a round are shown: once the round has ended or the challenge is closed.
 * Before that, only organizers may learn them.
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
