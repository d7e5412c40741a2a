import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { ALL_BOARDS, countsLate, isPrevious, takeBoards } from "../leaderboard/boards.ts";
import { updateFinalStanding } from "../leaderboard/final-board.ts";
import { type Movement, moveStanding, type Standing, updateStanding } from "../leaderboard/standings.ts";
import { findDisqualification } from "../participants/disqualifications.ts";
import { writeSubmission } from "./find-submission.ts";

/** How a participant moved on the board that a submission counts on. */
export interface BoardMove {
  rank: number | null;
  rank_before: number | null;
  best: boolean;
}

export const columnsOf = ({ best, rank, rank_before }: BoardMove) => ({
  rank,
  rank_before,
  best: best ? 1 : 0,
});

/** Boards on which a submission moved its participant. */
export interface Moved {
  place: BoardMove;
  /** How many submissions of a participant the final board considers; 0 while there is none. */
  finals: number;
}

/** Returns the standing that a submission with these scores would have. */
export const standingWith = (
  row: SubmissionRow,
  keys: { sort_primary: number | null; sort_secondary: number | null },
): Standing => ({
  submission: row.id,
  submission_number: row.number,
  submitted_at: row.created_at,
  sort_primary: keys.sort_primary ?? Number.MAX_VALUE,
  sort_secondary: keys.sort_secondary ?? Number.MAX_VALUE,
});

/**
 * Updates all boards after one of a participant's submissions changed; returns the movement on the board that
 * it counts on.
 */
export async function updateBoards(trx: Db, row: SubmissionRow): Promise<Moved> {
  const { place, finals } = await moveOnBoards(trx, row);
  await writeSubmission(trx, { id: row.id, ...columnsOf(place) });
  if (finals > 0) await updateFinalStanding(trx, row, finals);
  return { place, finals };
}

/**
 * Updates the boards of public scores without writing to the submission's own row. With `first`, the
 * submission was graded for the first time.
 */
export async function moveOnBoards(trx: Db, row: SubmissionRow, first?: Standing): Promise<Moved> {
  const fresh = first && !(await isDisqualified(trx, row)) ? first : undefined;
  const { challenge, round, participant_id: participantId } = row;
  const { border, finals } = await takeBoards(trx, row);
  const boards = ALL_BOARDS.filter(
    (board) =>
      (countsLate(board) || row.post_challenge === 0) &&
      (!isPrevious(board) || (border !== null && row.created_at <= border)),
  );
  let movement: Movement | null = null;
  for (const board of boards) {
    const place = { challenge, round, board, participantId, until: isPrevious(board) ? border : null, fresh };
    if (movement) await updateStanding(trx, place);
    else movement = await moveStanding(trx, place);
  }
  // A baseline does not move its participant.
  const counted = row.baseline === 1 ? null : movement;
  const place = {
    rank: counted?.rank ?? null,
    rank_before: counted?.rankBefore ?? null,
    best: counted?.submission === row.id,
  };
  return { place, finals };
}

/** Read with every grade, so in one short statement: hardly any participant has a decision. */
const isDisqualified = async (trx: Db, row: SubmissionRow): Promise<boolean> =>
  (await anyDecision(trx, { participant: row.participant_id })) !== undefined &&
  (await findDisqualification(trx, row.challenge, row.participant_id)) !== null;

const anyDecision = lookup((db, { participant }: { participant: number }) =>
  db.selectFrom("disqualifications").select("id").where("participant_id", "=", participant).limit(1),
);
