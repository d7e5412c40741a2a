import { BOARDS } from "@crowdai/shared";
import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";

/**
 * `current` and `ongoing` show the present, `previous` and `previous_ongoing` the state at the window
 * boundary. The ongoing boards include submissions made after the round's end.
 */
export type Board = (typeof BOARDS)[number];
export const ALL_BOARDS: readonly Board[] = BOARDS;

export const isPrevious = (board: Board): boolean => board === "previous" || board === "previous_ongoing";
export const countsLate = (board: Board): boolean => board === "ongoing" || board === "previous_ongoing";
/**
 * The board with which movement on this one is compared; null for the previous boards, which show no
 * movement.
 */
export const boardBefore = (board: Board): Board | null =>
  board === "current" ? "previous" : board === "ongoing" ? "previous_ongoing" : null;

export interface BoardPlace {
  challenge: string;
  round: string;
  board: Board;
}

/** Literal SQL instead of parameters, so that both databases see that their partial indexes apply. */
export const ENTRY = sql<boolean>`function = 'submit' and dry_run = 0 and baseline = 0`;
export const RANKED = sql<boolean>`function = 'submit' and dry_run = 0 and baseline = 0 and state = 'graded'`;
/** Whether the participant of a submission counts in its challenge: the latest decision is not a disqualification. */
export const COUNTS = sql<boolean>`not exists (
  select 1 from disqualifications as decided
  where decided.participant_id = submissions.participant_id
    and (decided.challenge is null or decided.challenge = submissions.challenge)
    and decided.decision = 'disqualified'
    and not exists (
      select 1 from disqualifications as later
      where later.participant_id = decided.participant_id and later.id > decided.id
        and coalesce(later.challenge, '') = coalesce(decided.challenge, '')
    )
)`;
/** What moves the ranking window: baselines too, whatever their outcome. */
export const ARRIVED = sql<boolean>`function = 'submit' and dry_run = 0`;

/**
 * Locks the boards of a round for a transaction that is about to change them. Returns the window boundary of
 * the previous boards; null while they do not exist.
 */
export async function takeBoards(
  trx: Db,
  { challenge, round }: Pick<BoardPlace, "challenge" | "round">,
): Promise<string | null> {
  return (await nextVersion(trx, { challenge, round }))!.border;
}

const nextVersion = lookup((trx, { challenge, round }: Pick<BoardPlace, "challenge" | "round">) =>
  trx
    .insertInto("board_rounds")
    .values({ challenge, round, version: 1, border: null })
    .onConflict((conflict) =>
      conflict
        .columns(["challenge", "round"])
        .doUpdateSet({ version: sql<number>`board_rounds.version + 1` }),
    )
    .returning("border"),
);
