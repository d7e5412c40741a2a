import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  minute,
  openToyBoards,
  type ToyBoards,
  type ToyChallenge,
} from "../../../test/support/toy-boards.ts";
import { advanceWindows, windowBoundary } from "./ranking-window.ts";

const HOUR = 60;

let toy: ToyBoards;
beforeAll(async () => {
  toy = await openToyBoards();
});
afterAll(() => toy.close());

const start = (hours = 1) => toy.challenge({ rounds: [{ id: "1", ranking_window_hours: hours }] });
const advance = ({ catalog }: ToyChallenge, signal?: AbortSignal) =>
  advanceWindows({ records: toy.records, catalog }, signal);
const boundary = async ({ id }: ToyChallenge, round = "1") =>
  (
    await toy.db
      .selectFrom("board_rounds")
      .select("border")
      .where("challenge", "=", id)
      .where("round", "=", round)
      .executeTakeFirstOrThrow()
  ).border;
const movement = async ({ read }: ToyChallenge, board: "current" | "ongoing" = "current") =>
  (await read({ board })).rows.map((row) => [row.participant, row.rank_before, row.rank]);
const previous = ({ rows }: ToyChallenge) => rows({ board: "previous" });

it("the window ends at its length before the newest submission, in whole seconds", () => {
  expect(windowBoundary({ ranking_window_hours: 96 }, "2026-01-05T00:00:00.999Z")).toBe(
    "2026-01-01T00:00:00.000Z",
  );
});

describe("the previous boards", () => {
  it("show the ranks at the window boundary, of what had been submitted by then", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { created_at: minute(0) });
    await challenge.grade("bob", 2, { created_at: minute(1) });
    await challenge.grade("cid", 3, { created_at: minute(2) });
    await challenge.grade("ada", 4, { created_at: minute(HOUR + 1) });
    expect(await movement(challenge)).toEqual([
      ["ada", null, 1],
      ["cid", null, 2],
      ["bob", null, 3],
    ]);
    await advance(challenge);
    expect(await boundary(challenge)).toBe(minute(1));
    expect(await movement(challenge)).toEqual([
      ["ada", 2, 1],
      ["cid", null, 2],
      ["bob", 1, 3],
    ]);
    for (const { score_public } of (await challenge.read()).rows) expect(score_public).toBeNull();
    expect(await challenge.read({ board: "previous" })).toMatchObject({
      total: 2,
      rows: [
        { participant: "bob", entries: 1, rank_before: null },
        { participant: "ada", entries: 1, score: 1, score_public: null },
      ],
    });
  });

  it("count late submissions only where their present board does", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { created_at: minute(0) });
    await challenge.grade("bob", 2, { created_at: minute(0), post_challenge: 1 });
    await challenge.grade("ada", 0, { created_at: minute(HOUR) });
    await advance(challenge);
    expect(await previous(challenge)).toEqual([[1, "ada", 1]]);
    expect(await challenge.rows({ board: "previous_ongoing" })).toEqual([
      [1, "bob", 2],
      [2, "ada", 1],
    ]);
    expect(await movement(challenge, "ongoing")).toEqual([
      ["bob", 1, 1],
      ["ada", 2, 2],
    ]);
    expect(await movement(challenge)).toEqual([["ada", 1, 1]]);
  });

  it("move with each submission that arrives, graded or not, and with nothing else", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { created_at: minute(0) });
    await challenge.submit("bob", { created_at: minute(HOUR) });
    await advance(challenge);
    expect(await boundary(challenge)).toBe(minute(0));
    const version = await challenge.version();
    await challenge.submit("bob", { created_at: minute(3 * HOUR), dry_run: 1 });
    await challenge.submit("bob", { created_at: minute(3 * HOUR), function: "check" });
    await challenge.submit("bob", { created_at: minute(3 * HOUR), round: "2" });
    await advance(challenge);
    expect([await boundary(challenge), await challenge.version()]).toEqual([minute(0), version]);
    await challenge.submit("bob", { created_at: minute(2 * HOUR), baseline: 1 });
    await advance(challenge);
    // Nothing left the window: the boards are as they were.
    expect([await boundary(challenge), await challenge.version()]).toEqual([minute(HOUR), version]);
  });

  it("change the version when a submission leaves the window", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { created_at: minute(0) });
    await challenge.grade("ada", 1, { created_at: minute(HOUR) });
    const version = await challenge.version();
    await advance(challenge);
    expect(await challenge.version()).toBe(version + 1);
    await advance(challenge);
    expect(await challenge.version()).toBe(version + 1);
  });

  it("follow a longer window back, and a shorter one forward", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { created_at: minute(0) });
    await challenge.grade("bob", 2, { created_at: minute(HOUR) });
    await challenge.grade("cid", 3, { created_at: minute(2 * HOUR) });
    await challenge.grade("dan", 3, { created_at: minute(2 * HOUR), round: "2" });
    await advance(challenge);
    expect(await previous(challenge)).toEqual([
      [1, "bob", 2],
      [2, "ada", 1],
    ]);
    const version = await challenge.version();
    challenge.configure({ rounds: [{ id: "1", ranking_window_hours: 2 }] });
    await advance(challenge);
    expect([await boundary(challenge), await challenge.version()]).toEqual([minute(0), version + 1]);
    expect(await previous(challenge)).toEqual([[1, "ada", 1]]);
    challenge.configure({ rounds: [{ id: "1", ranking_window_hours: 1 }] });
    await advance(challenge);
    expect(await boundary(challenge)).toBe(minute(HOUR));
    expect(await previous(challenge)).toHaveLength(2);
    expect(await movement(challenge)).toEqual([
      ["cid", null, 1],
      ["bob", 1, 2],
      ["ada", 2, 3],
    ]);
    expect(await boundary(challenge, "2")).toBeNull();
  });

  it("of other rounds stay when the window of one becomes longer", async () => {
    const rounds = (hours: number) => ({
      rounds: [
        { id: "1", ranking_window_hours: hours },
        { id: "2", ranking_window_hours: 1 },
      ],
    });
    const challenge = toy.challenge(rounds(1));
    for (const round of ["1", "2"])
      for (const minutes of [0, HOUR, 2 * HOUR])
        await challenge.grade("ada", minutes, { round, created_at: minute(minutes) });
    await advance(challenge);
    challenge.configure(rounds(2));
    await advance(challenge);
    expect(await previous(challenge)).toEqual([[1, "ada", 0]]);
    expect(await challenge.rows({ board: "previous", round: "2" })).toEqual([[1, "ada", HOUR]]);
  });

  it("leave rounds and challenges alone that are not served", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { round: "gone" });
    const elsewhere = start();
    await elsewhere.grade("ada", 1);
    await advance(challenge);
    expect([await boundary(challenge, "gone"), await boundary(elsewhere)]).toEqual([null, null]);
  });

  it("do not exist for a round to which nothing was submitted for its board", async () => {
    const challenge = start();
    await challenge.submit("ada", { dry_run: 1 });
    const round = { challenge: challenge.id, round: "1", version: 1, border: null };
    await toy.db.insertInto("board_rounds").values(round).execute();
    await advance(challenge);
    expect(await boundary(challenge)).toBeNull();
  });

  it("move in steps of twenty submissions and those of the same moment, and stop between two when asked", async () => {
    const challenge = start();
    const row = { state: "graded" as const, sort_secondary: 0 };
    const graded = (score: number, minutes: number) => ({
      ...{ ...row, sort_primary: -score, score, created_at: minute(minutes) },
    });
    for (let i = 0; i < 20; i++) await challenge.submit("ada", graded(i, i));
    await challenge.submit("cid", graded(50, 19));
    await challenge.submit("bob", graded(99, 30));
    await challenge.submit("bob", { created_at: minute(HOUR + 30) });
    const round = { challenge: challenge.id, round: "1", version: 1, border: null };
    await toy.db.insertInto("board_rounds").values(round).execute();
    await advance(challenge, AbortSignal.abort());
    expect(await boundary(challenge)).toBe(minute(19));
    expect(await previous(challenge)).toEqual([
      [1, "cid", 50],
      [2, "ada", 19],
    ]);
    await advance(challenge, new AbortController().signal);
    expect(await boundary(challenge)).toBe(minute(30));
    expect((await previous(challenge)).map(([, name]) => name)).toEqual(["bob", "cid", "ada"]);
    expect(await challenge.version()).toBe(3);
  });

  it("move without being asked to stop", async () => {
    const challenge = start();
    for (let i = 0; i < 20; i++)
      await challenge.submit("ada", { state: "graded", sort_primary: -i, score: i });
    await challenge.grade("ada", 99, { created_at: minute(HOUR + 30) });
    await advance(challenge);
    expect(await boundary(challenge)).toBe(minute(30));
  });
});
