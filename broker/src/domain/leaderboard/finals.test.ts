import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  idOf,
  minute,
  openToyBoards,
  type ToyBoards,
  type ToyChallenge,
} from "../../../test/support/toy-boards.ts";
import { maxSelected, refillFinalBoards, updateFinalStanding } from "./final-board.ts";
import { readFinalScore, renewFinalSortKeys, writeFinalScore } from "./final-scores.ts";
import { isFinalShown, readFinals, shownBoard } from "./final-shown.ts";
import { rebuildStandings } from "./rebuild-standings.ts";
import { revealFinals } from "./reveal-finals.ts";

const END = minute(60);
const DURING = new Date(minute(60));
const AFTERWARDS = new Date(minute(61));

let toy: ToyBoards;
beforeAll(async () => {
  toy = await openToyBoards();
});
afterAll(() => toy.close());

const start = (fields: object = {}) => toy.challenge({ rounds: [{ id: "1", ends_at: END }], ...fields });
const final = (challenge: ToyChallenge) => challenge.rows({ now: AFTERWARDS });
const reveal = (challenge: ToyChallenge, now: Date) =>
  revealFinals({ records: toy.records, catalog: challenge.catalog, clock: () => now });
const finals = ({ id }: ToyChallenge, round = "1") => readFinals(toy.db, { challenge: id, round });
/** The final board from its standings, also while it is hidden. */
const hidden = async ({ id }: ToyChallenge) =>
  (
    await toy.db
      .selectFrom("standings")
      .select(["participant_id", "submission", "sort_primary"])
      .where("challenge", "=", id)
      .where("board", "=", "final")
      .orderBy("sort_primary")
      .orderBy("participant_id")
      .execute()
  ).map((row) => [row.participant_id, row.submission.replace(`${id}-`, "")]);

async function select(challenge: ToyChallenge, person: "ada" | "bob", submission: string): Promise<void> {
  const key = { challenge: challenge.id, round: "1", participant_id: idOf(person) };
  await toy.db
    .insertInto("final_selections")
    .values({ ...key, submission, selected_at: minute(0) })
    .execute();
  await toy.records.transaction((trx) => updateFinalStanding(trx, key, 2));
}

describe("the final board", () => {
  it("ranks by the best final score of the two best public submissions, once the round has ended", async () => {
    const challenge = start();
    await challenge.grade("ada", 0.9, { final: 0.2 });
    await challenge.grade("ada", 0.8, { final: 0.6 });
    await challenge.grade("ada", 0.1, { final: 0.99 });
    await challenge.grade("bob", 0.5, { final: 0.7 });
    expect(await challenge.read({ now: DURING })).toMatchObject({
      final: false,
      rows: [{ participant: "ada", score: 0.9, score_public: null }, { participant: "bob" }],
    });
    expect(await challenge.read({ now: AFTERWARDS })).toMatchObject({
      final: true,
      board: "current",
      rows: [
        { rank: 1, participant: "bob", score: 0.7, score_public: 0.5, rank_before: 2, entries: 1 },
        { rank: 2, participant: "ada", score: 0.6, score_public: 0.9, rank_before: 1, entries: 3 },
      ],
    });
    expect(await challenge.read({ now: AFTERWARDS, board: "ongoing" })).toMatchObject({
      final: false,
      rows: [{ score: 0.9, score_public: null }, { score: 0.5 }],
    });
  });

  it("is found by name and by its viewer as it is shown", async () => {
    const challenge = start();
    await challenge.grade("ada", 2, { final: 1 });
    await challenge.grade("bob", 1, { final: 2 });
    for (const query of [{ find: "ad" }, { ownOnly: true, viewer: idOf("ada") }])
      expect(await challenge.read({ ...query, now: AFTERWARDS })).toMatchObject({
        rows: [{ rank: 2, participant: "ada", score: 1 }],
      });
  });

  it("places baselines by their final scores", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { final: 1 });
    await challenge.grade("bob", 2, { final: 0.5, baseline: 1 });
    await challenge.grade("bob", 0, { baseline: 1 });
    expect(await final(challenge)).toEqual([
      [1, "ada", 1],
      [0, "Baseline", 0.5],
      [0, "Baseline", null],
    ]);
    expect(await challenge.rows()).toEqual([
      [0, "Baseline", 2],
      [1, "ada", 1],
      [0, "Baseline", 0],
    ]);
  });

  it("ranks by what a participant selected, and by as many as the challenge allows", async () => {
    const challenge = start({ final: { select: 1 } });
    await challenge.grade("ada", 3, { final: 1 });
    await challenge.grade("ada", 2, { final: 2 });
    const worst = await challenge.grade("ada", 1, { final: 3 });
    await challenge.grade("bob", 5, { final: 0.5 });
    expect(await final(challenge)).toEqual([
      [1, "ada", 1],
      [2, "bob", 0.5],
    ]);
    await select(challenge, "ada", worst.id);
    expect((await final(challenge))[0]).toEqual([1, "ada", 3]);
    await toy.records.transaction((trx) => rebuildStandings(trx, challenge.id));
    expect((await final(challenge))[0]).toEqual([1, "ada", 3]);
    // A selected one that no longer counts leaves the best.
    await challenge.change(worst.id, { state: "failed" });
    await toy.records.transaction((trx) => rebuildStandings(trx, challenge.id));
    expect((await final(challenge))[0]).toEqual([1, "ada", 1]);
  });

  it("puts one without a final score last, and breaks ties by secondary score, time and number", async () => {
    const challenge = start({ score_secondary: { order: "ascending", precision: 1 } });
    await challenge.grade("ada", 9);
    await challenge.grade("bob", 1, { final: 1, secondary: 2 });
    await challenge.grade("cid", 1, { final: 1, secondary: 1, created_at: minute(9) });
    await challenge.grade("dan", 1, { final: 1, secondary: 1, created_at: minute(8) });
    await challenge.grade("dan", 1, { final: 1, secondary: 1, created_at: minute(8) });
    const expected = [
      [1, "dan", 1],
      [2, "cid", 1],
      [3, "bob", 1],
      [4, "ada", null],
    ];
    expect(await final(challenge)).toEqual(expected);
    const shown = await hidden(challenge);
    expect(shown.find(([participant]) => participant === idOf("dan"))).toEqual([idOf("dan"), "3"]);
    await toy.records.transaction((trx) => rebuildStandings(trx, challenge.id));
    expect(await final(challenge)).toEqual(expected);
    expect(await hidden(challenge)).toEqual(shown);
  });

  it("begins with the first final score in a round, of a submission that counts, with all that came before", async () => {
    const challenge = start({ rounds: [{ id: "1", ends_at: END }, { id: "2" }] });
    await challenge.grade("bob", 1);
    expect(await finals(challenge)).toBe(0);
    await challenge.grade("ada", 1, { final: 1, post_challenge: 1 });
    await challenge.grade("ada", 1, { final: 1, baseline: 1 });
    expect([await finals(challenge), await hidden(challenge)]).toEqual([0, []]);
    expect(await challenge.read({ now: AFTERWARDS })).toMatchObject({ final: false });
    await challenge.grade("ada", 1, { final: 1 });
    expect(await hidden(challenge)).toEqual([
      [idOf("ada"), "3"],
      [idOf("bob"), "0"],
    ]);
    expect([await finals(challenge), await finals(challenge, "2")]).toEqual([2, 0]);
  });

  it("has only what counts: no late, failed or disqualified submission", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { final: 1 });
    await challenge.grade("ada", 2, { final: 2, post_challenge: 1 });
    await challenge.grade("ada", 3, { final: 3, round: "2" });
    await challenge.grade("bob", 4, { final: 4 });
    await toy.decide("bob", challenge.id, "disqualified");
    const key = { challenge: challenge.id, round: "1", participant_id: idOf("bob") };
    await toy.records.transaction((trx) => updateFinalStanding(trx, key, 2));
    expect(await final(challenge)).toEqual([[1, "ada", 1]]);
    await toy.records.transaction((trx) => rebuildStandings(trx, challenge.id));
    expect(await final(challenge)).toEqual([[1, "ada", 1]]);
    await toy.decide("bob", challenge.id, "reinstated");
  });

  it("ends when a replay finds no final score any more, and keeps the number of submissions otherwise", async () => {
    const challenge = start({ final: { select: 3 } });
    const row = await challenge.grade("ada", 1, { final: 1 });
    const replay = (select: number | null) =>
      toy.records.transaction((trx) => rebuildStandings(trx, challenge.id, select));
    await replay(null);
    expect(await finals(challenge)).toBe(3);
    await replay(1);
    expect(await finals(challenge)).toBe(1);
    const key = { challenge: challenge.id, submission: row.id };
    await writeFinalScore(toy.db, challenge.config, key, null);
    await replay(1);
    expect([await finals(challenge), await hidden(challenge)]).toEqual([0, []]);
    await writeFinalScore(toy.db, challenge.config, key, 1);
    await replay(null);
    expect([await finals(challenge), (await hidden(challenge)).length]).toEqual([2, 1]);
    // Only rounds with a final score have one.
    await challenge.grade("ada", 1, { round: "2" });
    await toy.records.transaction(async (trx) => {
      await trx.deleteFrom("standings").where("challenge", "=", challenge.id).execute();
      await refillFinalBoards(trx, challenge.id, 5);
    });
    expect([await finals(challenge), await finals(challenge, "2")]).toEqual([5, 0]);
  });
});

it("two submissions may be selected, unless the challenge sets another number", () => {
  expect(maxSelected({ final: null })).toBe(2);
  expect(maxSelected({ final: { select: 5 } })).toBe(5);
});

describe("a final score", () => {
  it("is replaced by a later one, and removed with null, each for its own submission", async () => {
    const challenge = start();
    const [one, other] = [await challenge.grade("ada", 1), await challenge.grade("ada", 1)];
    const key = { challenge: challenge.id, submission: one.id };
    const read = (submission: string, of = challenge.id) =>
      readFinalScore(toy.db, { challenge: of, submission });
    expect(await read(one.id)).toBeNull();
    await writeFinalScore(toy.db, challenge.config, key, 0.126);
    await writeFinalScore(toy.db, challenge.config, { ...key, submission: other.id }, 0);
    expect([await read(one.id), await read(other.id), await read(one.id, "x")]).toEqual([0.126, 0, null]);
    await writeFinalScore(toy.db, challenge.config, key, 0.2);
    await writeFinalScore(toy.db, challenge.config, { ...key, submission: other.id }, null);
    expect([await read(one.id), await read(other.id)]).toEqual([0.2, null]);
  });

  it("is sorted as the challenge rounds and orders scores by now", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { final: 0.126 });
    await challenge.grade("bob", 1, { final: 0.5 });
    const other = start();
    await other.grade("ada", 1, { final: 0.126 });
    const keys = async ({ id }: ToyChallenge) =>
      (
        await toy.db
          .selectFrom("final_scores")
          .select(["final_score", "sort_final"])
          .where("challenge", "=", id)
          .orderBy("submission")
          .execute()
      ).map(({ final_score, sort_final }) => [final_score, sort_final]);
    expect(await keys(challenge)).toEqual([
      [0.126, -0.13],
      [0.5, -0.5],
    ]);
    challenge.configure({ score: { order: "descending", precision: 1 } });
    await toy.records.transaction((trx) => renewFinalSortKeys(trx, challenge.config));
    expect(await keys(challenge)).toEqual([
      [0.126, -0.1],
      [0.5, -0.5],
    ]);
    expect(await keys(other)).toEqual([[0.126, -0.13]]);
  });
});

describe("final scores are shown", () => {
  it("once the round has ended, or the challenge is closed", async () => {
    const challenge = start({ rounds: [{ id: "1", ends_at: END }, { id: "2" }] });
    const shown = (round: string, now: Date) => isFinalShown(toy.db, challenge.config, round, now);
    expect([await shown("1", DURING), await shown("1", AFTERWARDS), await shown("2", AFTERWARDS)]).toEqual([
      ...[false, true, false],
    ]);
    const closed = { challenge: challenge.id, closed_at: minute(1), version: 0, shown: 0 };
    await toy.db.insertInto("closures").values(closed).execute();
    expect([await shown("1", DURING), await shown("2", AFTERWARDS)]).toEqual([true, true]);
    expect(await shown("3", AFTERWARDS)).toBe(false);
    expect(await isFinalShown(toy.db, undefined, "1", AFTERWARDS)).toBe(false);
  });

  it("as the board that decides the ranking, where there are any", async () => {
    const challenge = start();
    const board = (now: Date, config: typeof challenge.config | undefined = challenge.config) =>
      shownBoard(toy.db, config, "1", now);
    await challenge.grade("ada", 1);
    expect(await board(AFTERWARDS)).toBe("current");
    await challenge.grade("ada", 1, { final: 1 });
    expect([await board(DURING), await board(AFTERWARDS)]).toEqual(["current", "final"]);
    expect(await shownBoard(toy.db, undefined, "1", AFTERWARDS)).toBe("current");
  });
});

describe("a round's end", () => {
  it("changes its board's version once, and so does its extension", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { final: 1 });
    const other = start();
    await other.grade("ada", 1);
    const version = await challenge.version();
    await reveal(challenge, DURING);
    expect(await challenge.version()).toBe(version);
    for (let i = 0; i < 2; i++) await reveal(challenge, AFTERWARDS);
    expect(await challenge.version()).toBe(version + 1);
    challenge.configure({ rounds: [{ id: "1", ends_at: null }] });
    for (let i = 0; i < 2; i++) await reveal(challenge, AFTERWARDS);
    expect(await challenge.version()).toBe(version + 2);
    const before = await other.version();
    await reveal(other, AFTERWARDS);
    expect(await other.version()).toBe(before);
  });

  it("is announced by one of several brokers", async () => {
    const challenge = start();
    await challenge.grade("ada", 1, { final: 1 });
    const version = await challenge.version();
    await Promise.all([reveal(challenge, AFTERWARDS), reveal(challenge, AFTERWARDS)]);
    expect(await challenge.version()).toBe(version + 1);
  });
});

describe("another number of selected submissions", () => {
  it("rebuilds the final board, and changes the version where it is shown", async () => {
    const challenge = start({ final: { select: 1 } });
    await challenge.grade("ada", 2, { final: 1 });
    await challenge.grade("ada", 1, { final: 2 });
    const rounds = toy.db.selectFrom("board_rounds").select("version").where("challenge", "=", challenge.id);
    const version = await challenge.version();
    challenge.configure({ final: { select: 2 } });
    await reveal(challenge, DURING);
    expect([await finals(challenge), await challenge.version()]).toEqual([2, version]);
    expect(await final(challenge)).toEqual([[1, "ada", 2]]);
    await reveal(challenge, AFTERWARDS);
    challenge.configure({ final: { select: 1 } });
    await reveal(challenge, AFTERWARDS);
    expect(await challenge.version()).toBe(version + 2);
    expect(await final(challenge)).toEqual([[1, "ada", 1]]);
    await reveal(challenge, AFTERWARDS);
    expect(await rounds.execute()).toEqual([{ version: version + 2 }]);
  });

  it("changes no other round and no other challenge, nor one that is no longer served", async () => {
    const challenge = start({ final: { select: 1 } });
    const gone = start({ final: { select: 1 } });
    for (const each of [challenge, gone])
      for (const round of ["1", "2"]) {
        await each.grade("ada", 2, { final: 1, round });
        await each.grade("ada", 1, { final: 2, round });
      }
    challenge.configure({ final: { select: 2 } });
    await reveal(challenge, DURING);
    for (const round of ["1", "2"]) expect(await finals(challenge, round)).toBe(2);
    expect(await finals(gone)).toBe(1);
    expect(await hidden(gone)).toHaveLength(2);
    expect(await hidden(challenge)).toHaveLength(2);
  });
});
