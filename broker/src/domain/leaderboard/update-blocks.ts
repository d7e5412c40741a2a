import { type ExpressionBuilder, sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { insertion, lookup, statement } from "../../records/statement.ts";
import type { Tables } from "../../records/tables.ts";
import {
  type Block,
  blocksOf,
  COLUMNS,
  FIRST,
  isBefore,
  keyOf,
  MIN_SORT_KEY,
  placeOf,
  type SortKey,
  standingsFrom,
  typed,
} from "./board-blocks.ts";
import type { BoardPlace } from "./boards.ts";

/** A block with more standings is split in two. */
const MAX_BLOCK_SIZE = 256;
/** Number of standings in a new block; migration 006 uses the same number. */
const BLOCK = 128;

/** Counts a standing that was removed, added or moved; `null` means off the board. */
export async function moveCount(
  db: Db,
  place: BoardPlace,
  before: SortKey | null,
  after: SortKey | null,
): Promise<void> {
  const left = before && (await blockOf(db, place, before));
  const joined = after && (await blockOf(db, place, after));
  if (left && joined && !isBefore(left, joined) && !isBefore(joined, left)) return;
  if (left) await countOut(db, place, left);
  if (after) await countIn(db, place, joined ?? undefined);
}

async function countOut(db: Db, place: BoardPlace, block: Block): Promise<void> {
  const left = block.standings - 1;
  if (left > 0 || !isBefore(FIRST, block)) return writeCount(db, place, block, left);
  await db.deleteFrom("board_blocks").where(theBlock(place, block)).execute();
}

async function countIn(db: Db, place: BoardPlace, block: Block | undefined): Promise<void> {
  if (!block) return addBlock(db, place, { ...FIRST, standings: 1 });
  const count = block.standings + 1;
  if (count <= MAX_BLOCK_SIZE) return writeCount(db, place, block, count);
  const second = await standingsFrom(db, place, block).offset(BLOCK).limit(1).executeTakeFirstOrThrow();
  await addBlock(db, place, { ...keyOf(second), standings: count - BLOCK });
  await writeCount(db, place, block, BLOCK);
}

/** Rebuilds the blocks of a challenge's standings, or those of one round. */
export async function rebuildBlocks(
  trx: Db,
  { challenge, round }: { challenge: string; round: string | null },
): Promise<void> {
  const within = sql`challenge = ${challenge} ${round === null ? sql`` : sql`and round = ${round}`}`;
  await sql`delete from board_blocks where ${within}`.execute(trx);
  await sql`insert into board_blocks
    (challenge, round, board, sort_primary, sort_secondary, submitted_at, submission_number, standings)
    select challenge, round, board,
      case when place = 0 then ${sql.lit(MIN_SORT_KEY)} else sort_primary end,
      case when place = 0 then ${sql.lit(MIN_SORT_KEY)} else sort_secondary end,
      case when place = 0 then '' else submitted_at end,
      case when place = 0 then 0 else submission_number end,
      case when total - place < ${sql.lit(BLOCK)} then total - place else ${sql.lit(BLOCK)} end
    from (
      select standings.*,
        row_number() over (
          partition by round, board order by sort_primary, sort_secondary, submitted_at, submission_number
        ) - 1 as place,
        count(*) over (partition by round, board) as total
      from standings where ${within}
    ) as placed
    where place % ${sql.lit(BLOCK)} = 0`.execute(trx);
}

const blockOf = (db: Db, place: BoardPlace, key: SortKey): Promise<Block | undefined> =>
  blockAt(db, { ...placeOf(place), ...keyOf(key) });

const blockAt = lookup((db, at: BoardPlace & SortKey) =>
  blocksOf(db, at)
    .select([...COLUMNS, "standings"])
    .where(sql<boolean>`(sort_primary, sort_secondary, submitted_at, submission_number) <= (${typed(at)})`)
    .orderBy("sort_primary", "desc")
    .orderBy("sort_secondary", "desc")
    .orderBy("submitted_at", "desc")
    .orderBy("submission_number", "desc")
    .limit(1),
);

async function addBlock(db: Db, place: BoardPlace, block: Block): Promise<void> {
  await insertBlocks(db, [{ ...placeOf(place), ...keyOf(block), standings: block.standings }]);
}

const insertBlocks = insertion("board_blocks");

async function writeCount(db: Db, place: BoardPlace, block: Block, standings: number): Promise<void> {
  await setCount(db, { ...placeOf(place), ...keyOf(block), standings });
}

const setCount = statement((db, { standings, ...block }: BoardPlace & Block) =>
  db.updateTable("board_blocks").set({ standings }).where(theBlock(block, block)),
);

const theBlock =
  ({ challenge, round, board }: BoardPlace, block: SortKey) =>
  (eb: ExpressionBuilder<Tables, "board_blocks">) =>
    eb.and({ challenge, round, board, ...keyOf(block) });
