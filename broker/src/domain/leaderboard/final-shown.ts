import { type ChallengeConfig, roundState } from "@crowdai/shared/challenge-folder";
import type { Clock } from "../../base/clock.ts";
import type { Db, Records } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { Catalog } from "../challenges/catalog.ts";
import { findClosure } from "../challenges/find-closure.ts";

/** The services that deciding about final scores uses. */
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

type Round = { challenge: string; round: string };

/** Returns how many submissions the final board of a round considers; 0 while no grade has a final score. */
export const readFinals = async (db: Db, { challenge, round }: Round): Promise<number> =>
  (await finalsOf(db, { challenge, round }))?.finals ?? 0;

const finalsOf = lookup((db, { challenge, round }: Round) =>
  db
    .selectFrom("board_rounds")
    .select("finals")
    .where("challenge", "=", challenge)
    .where("round", "=", round),
);

/** Returns the board that decides the ranking of a round by now: the final one, once it is shown. */
export async function shownBoard(
  db: Db,
  config: Pick<ChallengeConfig, "id" | "rounds"> | undefined,
  round: string,
  now: Date,
): Promise<"current" | "final"> {
  if (!config || (await readFinals(db, { challenge: config.id, round })) === 0) return "current";
  return (await isFinalShown(db, config, round, now)) ? "final" : "current";
}
