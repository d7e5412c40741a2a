import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openToyBoards, type ToyBoards } from "../../../test/support/toy-boards.ts";
import {
  blocksOf,
  countBefore,
  FIRST,
  isBefore,
  type SortKey,
  standingsFrom,
  startOf,
} from "./board-blocks.ts";
import type { BoardPlace } from "./boards.ts";
import { putBest } from "./standings.ts";
import { rebuildBlocks } from "./update-blocks.ts";

let toy: ToyBoards;
let submission: string;
let participants = 100;
beforeAll(async () => {
  toy = await openToyBoards();
  submission = (await toy.challenge().submit("ada")).id;
});
afterAll(() => toy.close());

let place: BoardPlace;
beforeEach(() => {
  place = toy.challenge().place();
});

const key = (sort_primary: number, more: Partial<SortKey> = {}): SortKey => ({
  ...{ sort_primary, sort_secondary: 0, submitted_at: "2026", submission_number: 1, ...more },
});
const put = (participantId: number, to: SortKey | null) =>
  toy.records.transaction((trx) => putBest(trx, { ...place, participantId }, to && { submission, ...to }));
const first = () => blocksOf(toy.db, place).selectAll().orderBy("sort_primary").executeTakeFirst();
const sizes = async (of = place) =>
  (
    await blocksOf(toy.db, of)
      .select("standings")
      .orderBy("sort_primary")
      .orderBy("sort_secondary")
      .orderBy("submitted_at")
      .execute()
  ).map(({ standings }) => standings);

/** Puts standings with the keys 0, 1, 2 … on the board, and counts them. Returns their participants. */
async function fill(count: number, of = place): Promise<number[]> {
  const people = Array.from({ length: count }, () => participants++);
  const rows = people.map((id, i) => ({ id, name: `p${id}`, name_key: `p${id}`, created_at: "", ...key(i) }));
  await toy.db
    .insertInto("participants")
    .values(rows.map(({ id, name, name_key, created_at }) => ({ id, name, name_key, created_at })))
    .execute();
  const placed = people.map((participant_id, i) => ({ ...of, participant_id, submission, ...key(i) }));
  await toy.db.insertInto("standings").values(placed).execute();
  await rebuildBlocks(toy.db, { challenge: of.challenge, round: of.round });
  return people;
}

/** Checks that each block counts its standings, and that ranks and pages are found with them. */
async function check(): Promise<void> {
  const standings = (await standingsFrom(toy.db, place).execute()).map((row): SortKey => row);
  const blocks = await blocksOf(toy.db, place).selectAll().execute();
  const counted = blocks.map((block) => {
    const end = blocks.filter((other) => isBefore(block, other)).sort((a, b) => (isBefore(a, b) ? -1 : 1))[0];
    const within = standings.filter((one) => !isBefore(one, block) && (!end || isBefore(one, end)));
    return [block.standings, within.length];
  });
  for (const [stored, actual] of counted) expect(stored).toBe(actual);
  expect(await countBefore(toy.db, place, standings)).toEqual(standings.map((_, i) => i));
  for (const offset of [0, 1, 127, 128, 129, 255, 256, standings.length]) {
    const { total, from, skip } = await startOf(toy.db, place, offset);
    const [found] = await standingsFrom(toy.db, place, from).offset(skip).limit(1).execute();
    expect([total, found?.sort_primary]).toEqual([standings.length, standings[offset]?.sort_primary]);
  }
}

describe("an order of keys", () => {
  it("is by score, secondary score, time and number", () => {
    const sorted = [
      key(1),
      key(2, { sort_secondary: -1, submission_number: 9 }),
      key(2, { submitted_at: "2025", submission_number: 9 }),
      key(2),
      key(2, { submission_number: 2 }),
    ];
    for (const [i, one] of sorted.entries())
      for (const [j, other] of sorted.entries()) expect(isBefore(one, other)).toBe(i < j);
    for (const one of sorted) expect(isBefore(FIRST, one)).toBe(true);
  });
});

describe("an empty board", () => {
  it("has no pages, and no one before a key", async () => {
    expect(await startOf(toy.db, place, 5)).toEqual({ total: 0, from: FIRST, skip: 5 });
    expect(await countBefore(toy.db, place, [key(1), key(2)])).toEqual([0, 0]);
    expect(await countBefore(toy.db, place, [])).toEqual([]);
    await put(1, null);
    expect(await sizes()).toEqual([]);
  });

  it("gets a block that starts before every key, and keeps it", async () => {
    await put(1, key(5));
    expect(await first()).toMatchObject({ ...FIRST, standings: 1 });
    await put(2, key(-1e300));
    await put(1, null);
    expect(await sizes()).toEqual([1]);
    await put(2, null);
    expect(await first()).toMatchObject({ ...FIRST, standings: 0 });
    await put(2, key(7));
    expect(await sizes()).toEqual([1]);
    await check();
  });
});

describe("a large board", () => {
  it("is counted in blocks of 128", async () => {
    await fill(300);
    expect(await sizes()).toEqual([128, 128, 44]);
    expect(await first()).toMatchObject(FIRST);
    await check();
    const keys = [key(-1), key(127.5), key(299), key(1000), key(0)];
    expect(await countBefore(toy.db, place, keys)).toEqual([0, 128, 299, 300, 0]);
  });

  it("is found page by page from the block in which the page starts", async () => {
    await fill(300);
    for (const [offset, from, skip] of [
      [127, FIRST, 127],
      [128, key(128), 0],
      [299, key(256), 43],
      [400, key(256), 144],
    ] as const)
      expect(await startOf(toy.db, place, offset)).toEqual({ total: 300, from, skip });
  });

  it("splits a block with more than 256 standings", async () => {
    const people = await fill(256);
    await toy.db.deleteFrom("board_blocks").where("challenge", "=", place.challenge).execute();
    await toy.db
      .insertInto("board_blocks")
      .values({ ...place, ...FIRST, standings: 255 })
      .execute();
    // As if the last one had not been there.
    await toy.db.deleteFrom("standings").where("participant_id", "=", people[255]!).execute();
    await put(people[255]!, key(255));
    expect(await sizes()).toEqual([256]);
    await put(1, key(200.5));
    expect(await sizes()).toEqual([128, 129]);
    await check();
  });

  it("counts a standing out of one block and into another, and nothing within one", async () => {
    const people = await fill(300);
    await put(people[0]!, key(299.5));
    expect(await sizes()).toEqual([127, 128, 45]);
    await put(people[0]!, key(299.7));
    expect(await sizes()).toEqual([127, 128, 45]);
    await put(people[299]!, key(-5));
    expect(await sizes()).toEqual([128, 128, 44]);
    await put(people[130]!, null);
    expect(await sizes()).toEqual([128, 127, 44]);
    await put(1, key(128.5));
    expect(await sizes()).toEqual([128, 128, 44]);
    await check();
  });

  it("loses a block that becomes empty, but never its first", async () => {
    const people = await fill(129);
    expect(await sizes()).toEqual([128, 1]);
    await put(people[128]!, null);
    expect(await sizes()).toEqual([128]);
    await check();
  });

  it("is counted apart from other rounds, boards and challenges", async () => {
    const [round, board] = [
      { ...place, round: "2" },
      { ...place, board: "ongoing" as const },
    ];
    const other = toy.challenge().place();
    await fill(3, other);
    await fill(130, round);
    await fill(2, board);
    const people = await fill(1);
    await put(people[0]!, key(3));
    expect([await sizes(), await sizes(board), await sizes(round)]).toEqual([[1], [2], [128, 2]]);
    await toy.db.deleteFrom("standings").where("challenge", "=", place.challenge).execute();
    await rebuildBlocks(toy.db, { challenge: place.challenge, round: "1" });
    expect([await sizes(), await sizes(board), await sizes(round)]).toEqual([[], [], [128, 2]]);
    await rebuildBlocks(toy.db, { challenge: place.challenge, round: null });
    expect([await sizes(round), await sizes(other)]).toEqual([[], [3]]);
  });
});
