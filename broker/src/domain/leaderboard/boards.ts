import { BOARDS } from "@crowdai/shared";
import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";

/**
 * `current` and `ongoing` show the present, `previous` and `previous_ongoing` the state at the window
 * boundary. The ongoing boards include submissions made after the round's end. The final board ranks by final
 * scores; it exists while the round runs, hidden, and is then shown as the current one.
 */
export type Board = (typeof BOARDS)[number] | "final";
/** All boards of public scores. */
export const ALL_BOARDS: readonly (typeof BOARDS)[number][] = BOARDS;

export const isPrevious = (board: Board): boolean => board === "previous" || board === "previous_ongoing";
export const countsLate = (board: Board): boolean => board === "ongoing" || board === "previous_ongoing";
/**
 * The board with which movement on this one is compared: for the final one, the public scores. Null for the
 * previous boards, which show no movement.
 */
export const boardBefore = (board: Board): Board | null =>
  board === "final"
    ? "current"
    : board === "current"
      ? "previous"
      : board === "ongoing"
        ? "previous_ongoing"
        : null;

export interface BoardPlace {
  challenge: string;
  round: string;
  board: Board;
}

/** Literal SQL instead of parameters, so that both databases see that their partial indexes apply. */
export const ENTRY = sql<boolean>`function = 'submit' and dry_run = 0 and baseline = 0`;
export const RANKED = sql<boolean>`function = 'submit' and dry_run = 0 and baseline = 0 and state = 'graded'`;
/**
 * Whether the participant of a submission counts in its challenge: the latest decision is not a
 * disqualification.
 */
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
/** Submissions that move the ranking window: baselines too, whatever their outcome. */
export const ARRIVED = sql<boolean>`function = 'submit' and dry_run = 0`;

/**
 * Locks the boards of a round for a transaction that is about to change them. Returns the window boundary of
 * the previous boards, null while they do not exist, and how many submissions of a participant the final
 * board considers, 0 while there is none.
 */
export async function takeBoards(
  trx: Db,
  { challenge, round }: Pick<BoardPlace, "challenge" | "round">,
): Promise<{ border: string | null; finals: number }> {
  return (await nextVersion(trx, { challenge, round }))!;
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
    .returning(["border", "finals"]),
);
