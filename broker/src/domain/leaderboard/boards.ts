import { BOARDS } from "@crowdai/shared";
import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";

/**
 * `current` and `ongoing` are as of now, `previous` and `previous_ongoing` as of the border of the ranking window; the ongoing ones
 * count what came after the round's end.
 */
export type Board = (typeof BOARDS)[number];
export const ALL_BOARDS: readonly Board[] = BOARDS;

export const isPrevious = (board: Board): boolean => board === "previous" || board === "previous_ongoing";
export const countsLate = (board: Board): boolean => board === "ongoing" || board === "previous_ongoing";
/** The board that the movement on this one is told from; null for the previous ones, on which nothing moves. */
export const boardBefore = (board: Board): Board | null =>
  board === "current" ? "previous" : board === "ongoing" ? "previous_ongoing" : null;

export interface BoardPlace {
  challenge: string;
  round: string;
  board: Board;
}

/** Written out, and not as parameters, so that both databases see that their partial indexes apply. */
export const ENTRY = sql<boolean>`function = 'submit' and dry_run = 0 and baseline = 0`;
export const RANKED = sql<boolean>`function = 'submit' and dry_run = 0 and baseline = 0 and state = 'graded'`;
/** What moves the ranking window: baselines too, whatever became of them. */
export const ARRIVED = sql<boolean>`function = 'submit' and dry_run = 0`;

/**
 * Takes the boards of a round for this transaction, which must be about to change them: no other changes them until it ends. Returns
 * the border up to which the previous boards are made; null while there are none.
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
