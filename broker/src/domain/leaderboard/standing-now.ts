import type { Submission } from "@crowdai/shared";
import type { Kysely } from "kysely";
import { type Db, readTogether } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { SubmissionRow, Tables } from "../../records/tables.ts";
import { countBefore } from "./board-blocks.ts";
import type { BoardPlace } from "./boards.ts";
import { type FinalSources, isFinalShown } from "./final-shown.ts";
import { ownStanding } from "./standings.ts";

type Standing = NonNullable<Submission["standing"]>;

/**
 * Returns the rank that the participant of a graded submission has now, and whether this submission holds it;
 * null for a submission that counts on no board. The row itself has the rank at the time of its grade.
 */
export function readStandingNow(context: FinalSources, row: SubmissionRow): Promise<Standing | null> {
  return standingsReader(context)(row);
}

/** Returns the standing without the rank, for participants of a hidden board: whether a submission is their best stays true. */
export const withoutRank = (standing: Standing | null): Standing | null =>
  standing && { ...standing, rank: null };

/** Returns a function that reads the standing of each row, and of each board only once. */
export function standingsReader(context: FinalSources): (row: SubmissionRow) => Promise<Standing | null> {
  const { db } = context.records;
  const known = new Map<string, ReturnType<typeof readPlace>>();
  return async (row) => {
    const isRanked = row.state === "graded" && row.function === "submit" && row.dry_run === 0;
    if (!isRanked || row.baseline === 1) return null;
    const place = {
      challenge: row.challenge,
      round: row.round,
      board: row.post_challenge === 1 ? ("ongoing" as const) : ("current" as const),
      participant_id: row.participant_id,
    };
    const name = JSON.stringify(Object.values(place));
    const reading =
      known.get(name) ??
      showsFinal(context, place).then((isFinal) =>
        readPlace(db, isFinal ? { ...place, board: "final" } : place),
      );
    known.set(name, reading);
    const found = await reading;
    return { rank: found?.rank ?? null, best: found?.submission === row.id };
  };
}

/** Returns whether the board that a place is on shows the final scores by now. */
async function showsFinal(
  { records: { db }, catalog, clock }: FinalSources,
  { challenge, round, board }: BoardPlace,
): Promise<boolean> {
  if (board !== "current" || (await readFinals(db, { challenge, round })) === 0) return false;
  return isFinalShown(db, catalog.all().get(challenge)?.config, round, clock());
}

/** Returns how many submissions the final board of a round considers; 0 while no grade has a final score. */
export const readFinals = async (db: Db, { challenge, round }: Pick<BoardPlace, "challenge" | "round">) =>
  (await finalsOf(db, { challenge, round }))?.finals ?? 0;

const finalsOf = lookup((db, { challenge, round }: Pick<BoardPlace, "challenge" | "round">) =>
  db
    .selectFrom("board_rounds")
    .select("finals")
    .where("challenge", "=", challenge)
    .where("round", "=", round),
);

function readPlace(
  db: Kysely<Tables>,
  place: Parameters<typeof ownStanding>[1],
): Promise<{ rank: number; submission: string } | null> {
  return readTogether(db, async (trx) => {
    const standing = await ownStanding(trx, place);
    if (!standing) return null;
    const [before = 0] = await countBefore(trx, place, [standing]);
    return { rank: before + 1, submission: standing.submission };
  });
}
