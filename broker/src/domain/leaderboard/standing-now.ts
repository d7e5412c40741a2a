import type { Submission } from "@crowdai/shared";
import type { Kysely } from "kysely";
import { readTogether } from "../../records/records.ts";
import type { SubmissionRow, Tables } from "../../records/tables.ts";
import { countBefore } from "./board-blocks.ts";
import type { Board } from "./boards.ts";
import { type FinalSources, shownBoard } from "./final-shown.ts";
import { ownStanding } from "./standings.ts";

type Standing = NonNullable<Submission["standing"]>;

/**
 * Returns the rank that the participant of a graded submission has now, and whether this submission holds it;
 * null for a submission that counts on no board. The row itself has the rank at the time of its grade.
 */
export function readStandingNow(context: FinalSources, row: SubmissionRow): Promise<Standing | null> {
  return standingsReader(context)(row);
}

/**
 * Returns the standing without the rank, for participants of a hidden board: whether a submission is their
 * best stays true.
 */
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
      late: row.post_challenge,
      participant_id: row.participant_id,
    };
    const name = JSON.stringify(Object.values(place));
    const reading =
      known.get(name) ?? boardOf(context, row).then((board) => readPlace(db, { ...place, board }));
    known.set(name, reading);
    const found = await reading;
    return { rank: found?.rank ?? null, best: found?.submission === row.id };
  };
}

/** Returns the board that a submission counts on by now. */
async function boardOf(
  { records: { db }, catalog, clock }: FinalSources,
  { challenge, round, post_challenge }: SubmissionRow,
): Promise<Board> {
  if (post_challenge === 1) return "ongoing";
  return shownBoard(db, catalog.all().get(challenge)?.config, round, clock());
}

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
