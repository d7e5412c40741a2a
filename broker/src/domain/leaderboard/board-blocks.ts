import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { lookup, statement } from "../../records/statement.ts";
import type { BoardPlace } from "./boards.ts";

/** The order of a board: the smallest key is the best. */
export interface SortKey {
  sort_primary: number;
  sort_secondary: number;
  submitted_at: string;
  submission_number: number;
}

/**
 * A run of consecutive standings: the key at which it starts, and its length. The first block of a board
 * starts before every key, and stays when it is empty.
 */
export interface Block extends SortKey {
  standings: number;
}

export const COLUMNS = ["sort_primary", "sort_secondary", "submitted_at", "submission_number"] as const;
export const MIN_SORT_KEY = -Number.MAX_VALUE;
export const FIRST: SortKey = {
  sort_primary: MIN_SORT_KEY,
  sort_secondary: MIN_SORT_KEY,
  submitted_at: "",
  submission_number: 0,
};

export function isBefore(one: SortKey, other: SortKey): boolean {
  for (const column of COLUMNS) if (one[column] !== other[column]) return one[column] < other[column];
  return false;
}

export const blocksOf = (db: Db, place: BoardPlace) =>
  db
    .selectFrom("board_blocks")
    .where("challenge", "=", place.challenge)
    .where("round", "=", place.round)
    .where("board", "=", place.board);

export interface Start {
  /** Number of standings on the board. */
  total: number;
  /**
   * Where to start reading for the standing after `offset` others: a key, and how many standings to skip from
   * there.
   */
  from: SortKey;
  skip: number;
}

const blockBefore = lookup((db, { offset, ...place }: BoardPlace & { offset: number }) => {
  const before = sql<number>`sum(standings) over (
    order by sort_primary, sort_secondary, submitted_at, submission_number
  ) - standings`;
  return db
    .selectFrom(
      blocksOf(db, place)
        .select(COLUMNS)
        .select([before.as("before"), sql<number>`sum(standings) over ()`.as("total")])
        .as("summed"),
    )
    .select([...COLUMNS, "before", "total"])
    .where("before", "<=", offset)
    .orderBy("before", "desc")
    .orderBy("sort_primary", "desc")
    .limit(1);
});

/** Finds the start of a page of a board. */
export async function startOf(db: Db, place: BoardPlace, offset: number): Promise<Start> {
  const block = await blockBefore(db, { ...placeOf(place), offset });
  if (!block) return { total: 0, from: FIRST, skip: offset };
  return { total: Number(block.total), from: keyOf(block), skip: offset - Number(block.before) };
}

export const placeOf = ({ challenge, round, board }: BoardPlace): BoardPlace => ({ challenge, round, board });

const allBlocks = statement((db, place: BoardPlace) =>
  blocksOf(db, place)
    .select([...COLUMNS, "standings"])
    .orderBy("sort_primary")
    .orderBy("sort_secondary")
    .orderBy("submitted_at")
    .orderBy("submission_number"),
);

/** Counts the standings before each of the keys, which need not be on the board. */
export async function countBefore(db: Db, place: BoardPlace, keys: readonly SortKey[]): Promise<number[]> {
  if (keys.length === 0) return [];
  const blocks = await allBlocks(db, placeOf(place));
  if (blocks.length === 0) return keys.map(() => 0);
  const sums: number[] = [];
  let sum = 0;
  for (const block of blocks) {
    sums.push(sum);
    sum += block.standings;
  }
  const found = keys.map((key) => indexOfBlock(blocks, key));
  // The types of the first row apply to all rows.
  const wanted = keys.map((key, index) =>
    index === 0
      ? sql`(cast(${index} as integer), ${typed(blocks[found[index]!]!)}, ${typed(key)})`
      : sql`(${sql.join([index, ...valuesOf(blocks[found[index]!]!), ...valuesOf(key)])})`,
  );
  const { rows } = await sql<{ which: number; within: number }>`
    with wanted (which, p0, s0, t0, n0, p, s, t, n) as (values ${sql.join(wanted)})
    select which, (
      select count(*) from standings
      where challenge = ${place.challenge} and round = ${place.round} and board = ${place.board}
        and (sort_primary, sort_secondary, submitted_at, submission_number) >= (p0, s0, t0, n0)
        and (sort_primary, sort_secondary, submitted_at, submission_number) < (p, s, t, n)
    ) as within
    from wanted`.execute(db);
  const counts: number[] = [];
  for (const { which, within } of rows) counts[which] = sums[found[which]!]! + Number(within);
  return counts;
}

/** Returns the standings of a board from a key on, in order; all of them by default. */
export function standingsFrom(db: Db, place: BoardPlace, from = FIRST) {
  return db
    .selectFrom("standings")
    .select([...COLUMNS, "participant_id"])
    .where("challenge", "=", place.challenge)
    .where("round", "=", place.round)
    .where("board", "=", place.board)
    .where(sql<boolean>`(sort_primary, sort_secondary, submitted_at, submission_number) >= (${typed(from)})`)
    .orderBy("sort_primary")
    .orderBy("sort_secondary")
    .orderBy("submitted_at")
    .orderBy("submission_number");
}

export const typed = (key: SortKey) =>
  sql`cast(${key.sort_primary} as double precision), cast(${key.sort_secondary} as double precision),
    cast(${key.submitted_at} as text), cast(${key.submission_number} as integer)`;

const valuesOf = (key: SortKey) => COLUMNS.map((column) => key[column]);

export const keyOf = ({
  sort_primary,
  sort_secondary,
  submitted_at,
  submission_number,
}: SortKey): SortKey => ({
  sort_primary,
  sort_secondary,
  submitted_at,
  submission_number,
});

function indexOfBlock(blocks: readonly Block[], key: SortKey): number {
  let low = 0;
  let high = blocks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (isBefore(key, blocks[middle]!)) high = middle - 1;
    else low = middle;
  }
  return low;
}
