import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  minute,
  openToyBoards,
  type ToyBoards,
  type ToyChallenge,
} from "../../../test/support/toy-boards.ts";
import { type ReadBestOverTime, rememberBestOverTime } from "./best-over-time.ts";

const HOUR = 60;
const DAY = 24 * HOUR;
const FRESH_MS = 30_000;

let toy: ToyBoards;
beforeAll(async () => {
  toy = await openToyBoards();
});
afterAll(() => toy.close());

const points = (
  challenge: ToyChallenge,
  read: ReadBestOverTime = rememberBestOverTime(() => toy.db),
  n = 0,
) => read(challenge.config, challenge.config.rounds[n]!);
const scores = async (...given: Parameters<typeof points>) =>
  (await points(...given)).map(({ score }) => score);

describe("the best scores over time", () => {
  it("are those at which the best became better, of everybody who counts", async () => {
    const challenge = toy.challenge();
    const one = (minutes: number, more: object = {}) => ({ created_at: minute(minutes), ...more });
    await challenge.grade("ada", 0.5, one(0));
    await challenge.grade("ada", 0.4, one(1));
    await challenge.grade("bob", 0.7, one(2));
    await challenge.grade("cid", 0.704, one(3));
    for (const more of [{ baseline: 1 }, { dry_run: 1 }, { function: "check" }, { round: "2" }])
      await challenge.grade("cid", 0.8, one(4, more));
    await challenge.submit("cid", one(4));
    await challenge.grade("dan", 0.85, one(5));
    await challenge.grade("bob", 0.9, one(6));
    await toy.decide("dan", challenge.id, "disqualified");
    expect(await points(challenge)).toEqual([
      { at: minute(0), score: 0.5 },
      { at: minute(2), score: 0.7 },
      { at: minute(6), score: 0.9 },
    ]);
  });

  it("fall in ascending order, and are none without a grade or with one that has no score", async () => {
    const challenge = toy.challenge({ score: { order: "ascending", precision: 1 } });
    expect(await points(challenge)).toEqual([]);
    await challenge.submit("ada");
    await toy.db
      .insertInto("board_rounds")
      .values({ challenge: challenge.id, round: "1", version: 1, border: null })
      .execute();
    expect(await points(challenge)).toEqual([]);
    await challenge.submit("ada", { state: "graded", sort_primary: Number.MAX_VALUE });
    expect(await points(challenge)).toEqual([]);
    await challenge.grade("ada", 3);
    await challenge.grade("ada", 2);
    expect(await scores(challenge)).toEqual([3, 2]);
  });

  it("are none of a round to which nothing was submitted for its board", async () => {
    const challenge = toy.challenge();
    await challenge.submit("ada", { dry_run: 1 });
    await toy.db
      .insertInto("board_rounds")
      .values({ challenge: challenge.id, round: "1", version: 1, border: null })
      .execute();
    expect(await points(challenge)).toEqual([]);
  });

  it("are those of submissions made before the end of the round, the moment itself included", async () => {
    const ends_at = "2026-01-01T01:00:00+00:00";
    const challenge = toy.challenge({ rounds: [{ id: "1", ends_at }] });
    await challenge.grade("ada", 1, { created_at: minute(HOUR) });
    await challenge.grade("ada", 2, { created_at: minute(HOUR + 1), post_challenge: 1 });
    expect(await scores(challenge)).toEqual([1]);
  });

  it.each([
    ["seconds", HOUR / 6, "2026-01-01T00:00:07.000Z"],
    ["minutes", HOUR / 6 + 1, "2026-01-01T00:00:00.000Z"],
    ["minutes", 12 * HOUR, "2026-01-01T00:00:00.000Z"],
    ["tens of minutes", 12 * HOUR + 1, "2026-01-01T00:00:00.000Z"],
    ["hours", 3 * DAY + 1, "2026-01-01T00:00:00.000Z"],
    ["days", 90 * DAY + 1, "2026-01-01T00:00:00.000Z"],
  ])("differ by %s in a round of %d minutes", async (unit, lasted, at) => {
    const challenge = toy.challenge();
    const first = new Date(Date.parse(minute(0)) + 7500).toISOString();
    await challenge.grade("ada", 1, { created_at: first });
    // Just within the same moment, and just after it.
    const length = { seconds: 0, minutes: 1, "tens of minutes": 10, hours: HOUR, days: DAY }[unit]!;
    if (length > 0) {
      const last = new Date(Date.parse(minute(length)) - 1).toISOString();
      await challenge.grade("ada", 2, { created_at: last });
      await challenge.grade("ada", 3, { created_at: minute(length) });
    }
    const end = new Date(Date.parse(first) + lasted * 60_000).toISOString();
    await challenge.submit("ada", { created_at: end });
    const found = await points(challenge);
    expect(found).toEqual(
      length === 0
        ? [{ at, score: 1 }]
        : [
            { at, score: 2 },
            { at: minute(length), score: 3 },
          ],
    );
  });

  it("are some of many, evenly, with the last", async () => {
    const challenge = toy.challenge();
    const { number, ...row } = await challenge.submit("ada", { state: "graded", sort_secondary: 0 });
    const many = (from: number, count: number) =>
      Array.from({ length: count }, (_, i) => ({
        ...{ ...row, id: `${row.id}-${from + i}`, sort_primary: -from - i },
        created_at: new Date(Date.parse(minute(0)) + (from + i) * 1000).toISOString(),
      }));
    await challenge.change(row.id, { state: "failed" });
    await toy.db.insertInto("submissions").values(many(1, 200)).execute();
    await toy.db
      .insertInto("board_rounds")
      .values({ challenge: challenge.id, round: "1", version: 1, border: null })
      .execute();
    expect(await scores(challenge)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    await toy.db.insertInto("submissions").values(many(201, 201)).execute();
    expect(await scores(challenge)).toEqual(Array.from({ length: 134 }, (_, i) => 3 * i + 2));
  });
});

describe("a reader of the best scores over time", () => {
  let read: ReadBestOverTime;
  let challenge: ToyChallenge;
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    pass(5000);
    read = rememberBestOverTime(() => toy.db);
    challenge = toy.challenge({ rounds: [{ id: "1" }, { id: "2" }] });
    await challenge.grade("ada", 1);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Lets reads in the background end. */
  const settle = async () => {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  const pass = (ms: number) => vi.advanceTimersByTime(ms);

  it("reads again after the board has changed, in the background, and at most twice a minute", async () => {
    expect(await scores(challenge, read)).toEqual([1]);
    await challenge.grade("ada", 2);
    await settle();
    pass(FRESH_MS - 1);
    expect(await scores(challenge, read)).toEqual([1]);
    await settle();
    expect(await scores(challenge, read)).toEqual([1]);
    pass(1);
    // This reader does not wait, a later one gets the new points.
    expect(await scores(challenge, read)).toEqual([1]);
    await settle();
    expect(await scores(challenge, read)).toEqual([1, 2]);
  });

  it("reads nothing while the board stays", async () => {
    await points(challenge, read);
    await settle();
    // As if nothing had been counted: the version stays.
    await challenge.submit("ada", { state: "graded", sort_primary: -9 });
    pass(10 * FRESH_MS);
    await points(challenge, read);
    await settle();
    expect(await scores(challenge, read)).toEqual([1]);
  });

  it("knows each round and challenge apart", async () => {
    await challenge.grade("ada", 7, { round: "2" });
    const other = toy.challenge();
    await other.grade("ada", 8);
    expect([await scores(challenge, read), await scores(challenge, read, 1)]).toEqual([[1], [7]]);
    expect([await scores(other, read), await scores(challenge, read)]).toEqual([[8], [1]]);
  });

  it("shares the first read among those who come at once", async () => {
    const [one, other] = await Promise.all([points(challenge, read), points(challenge, read)]);
    expect(one).toBe(other);
  });

  it("reads longer ago the longer it takes: at most a three-hundredth of the time", async () => {
    let asked = 0;
    const db = toy.db;
    read = rememberBestOverTime(() => {
      // The version is asked first, then the points.
      if (++asked === 2) pass(1000);
      return db;
    });
    await points(challenge, read);
    await settle();
    await challenge.grade("ada", 2);
    pass(300_000 - 1001);
    await points(challenge, read);
    await settle();
    expect(await scores(challenge, read)).toEqual([1]);
    pass(1);
    await points(challenge, read);
    await settle();
    expect(await scores(challenge, read)).toEqual([1, 2]);
  });

  it("begins no other read while one is slow, though the board has changed", async () => {
    const answered = Promise.withResolvers<void>();
    const slow = toy.db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        await answered.promise;
        return result;
      },
    });
    let asked = 0;
    // The version is asked first, then the points.
    read = rememberBestOverTime(() => (++asked === 2 ? slow : toy.db));
    const first = points(challenge, read);
    await settle();
    await challenge.grade("ada", 2);
    const second = points(challenge, read);
    await settle();
    expect(asked).toBe(3);
    answered.resolve();
    expect(await second).toBe(await first);
  });

  it("tries again after a failure", async () => {
    const select = toy.db.selectFrom;
    const spy = vi.spyOn(toy.db, "selectFrom").mockImplementation(((table: never) => {
      if (table === "submissions") throw new Error("away");
      return select.call(toy.db, table);
    }) as never);
    await expect(points(challenge, read)).rejects.toThrow("away");
    spy.mockRestore();
    expect(await scores(challenge, read)).toEqual([1]);
  });
});
