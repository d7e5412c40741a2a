import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  idOf,
  minute,
  openToyBoards,
  type ToyBoards,
  type ToyChallenge,
} from "../../../test/support/toy-boards.ts";
import { rankKey, readRanks, rebuildStandings } from "./rebuild-standings.ts";
import { recountParticipant } from "./recount-participant.ts";
import { readStandingNow, standingsReader, withoutRank } from "./standing-now.ts";
import { LAST, moveStanding, rawKeys, shownScore, sortKeys, updateStanding } from "./standings.ts";

let toy: ToyBoards;
beforeAll(async () => {
  toy = await openToyBoards();
});
afterAll(() => toy.close());

const standings = async ({ id }: ToyChallenge) =>
  (
    await toy.db
      .selectFrom("standings")
      .select(["round", "board", "participant_id", "submission", "submission_number", "submitted_at"])
      .select(["sort_primary", "sort_secondary"])
      .where("challenge", "=", id)
      .orderBy("round")
      .orderBy("board")
      .orderBy("participant_id")
      .execute()
  ).map((row) => ({ ...row, submission: row.submission.replace(`${id}-`, "") }));
const rebuild = ({ id }: ToyChallenge) => toy.records.transaction((trx) => rebuildStandings(trx, id));

describe("the sort keys of a grade", () => {
  const down = { order: "descending", precision: 2, title: "Score" } as const;
  const up = { ...down, order: "ascending", precision: 1 } as const;

  it("are smaller for better scores, rounded, and last for a missing one", () => {
    const config = { score: down, score_secondary: up };
    expect(sortKeys(config, 0.896, 0.26)).toEqual({ sort_primary: -0.9, sort_secondary: 0.3 });
    expect(sortKeys(config, null, null)).toEqual({ sort_primary: LAST, sort_secondary: LAST });
    expect(sortKeys(config, 0, 0)).toEqual({ sort_primary: 0, sort_secondary: 0 });
    expect(sortKeys({ score: up, score_secondary: null }, 0.26, 7)).toEqual({
      ...{ sort_primary: 0.3, sort_secondary: 0 },
    });
  });

  it("of a baseline are not rounded", () => {
    expect(rawKeys({ score: down, score_secondary: up }, 0.896, 0.26)).toEqual({
      ...{ sort_primary: -0.896, sort_secondary: 0.26 },
    });
    expect(rawKeys({ score: up, score_secondary: null }, null, 7)).toEqual({
      ...{ sort_primary: LAST, sort_secondary: 0 },
    });
  });

  it("stand for the score that is shown", () => {
    for (const rule of [down, up])
      for (const score of [0.9, -0.9, 0, null])
        expect(
          shownScore(rule, sortKeys({ score: rule, score_secondary: null }, score, null).sort_primary),
        ).toBe(score);
  });
});

describe("a grade", () => {
  const moved = async (row: ReturnType<ToyChallenge["grade"]>) => {
    const { rank, rank_before, best } = await row;
    return [rank_before, rank, best];
  };

  it("says where its participant was, and is", async () => {
    const { grade } = toy.challenge();
    expect(await moved(grade("ada", 0.5))).toEqual([null, 1, 1]);
    expect(await moved(grade("bob", 0.9))).toEqual([null, 1, 1]);
    expect(await moved(grade("cid", 0.1))).toEqual([null, 3, 1]);
    expect(await moved(grade("cid", 0.6))).toEqual([3, 2, 1]);
    expect(await moved(grade("cid", 0.95))).toEqual([2, 1, 1]);
    expect(await moved(grade("cid", 0.2))).toEqual([1, 1, 0]);
    expect(await moved(grade("bob", 0.91))).toEqual([2, 2, 1]);
  });

  it("does not replace an earlier one with the same score", async () => {
    const challenge = toy.challenge();
    await challenge.grade("ada", 1);
    expect(await moved(challenge.grade("ada", 1))).toEqual([1, 1, 0]);
    expect(await moved(challenge.grade("bob", 1))).toEqual([null, 2, 1]);
    // Submitted earlier, graded later.
    expect(await moved(challenge.grade("bob", 1, { created_at: minute(-1) }))).toEqual([2, 1, 1]);
    expect((await standings(challenge)).map(({ board, submission }) => [board, submission])).toEqual([
      ["current", "0"],
      ["current", "3"],
      ["ongoing", "0"],
      ["ongoing", "3"],
    ]);
  });

  it("that is taken back leaves its participant the next best, or no place", async () => {
    const challenge = toy.challenge();
    const worse = await challenge.grade("ada", 1);
    await challenge.grade("bob", 2);
    const better = await challenge.grade("ada", 3);
    const participantId = idOf("ada");
    const move = (board: "current" | "ongoing") =>
      toy.records.transaction((trx) =>
        moveStanding(trx, { ...challenge.place(board), participantId, until: null }),
      );
    await challenge.change(better.id, { state: "failed" });
    expect(await move("current")).toEqual({ rank: 2, rankBefore: 1, submission: worse.id });
    expect(await move("current")).toEqual({ rank: 2, rankBefore: 2, submission: worse.id });
    await challenge.change(worse.id, { baseline: 1 });
    expect(await move("current")).toEqual({ rank: null, rankBefore: 2, submission: null });
    expect(await move("current")).toEqual({ rank: null, rankBefore: null, submission: null });
    expect(await move("ongoing")).toEqual({ rank: null, rankBefore: 1, submission: null });
    expect((await standings(challenge)).map(({ participant_id }) => participant_id)).toEqual([2, 2]);
  });

  it("counts only when it was made before the window boundary, or in the same moment", async () => {
    const challenge = toy.challenge();
    await challenge.grade("ada", 1, { created_at: minute(1) });
    await challenge.grade("ada", 2, { created_at: minute(2) });
    await challenge.grade("ada", 3, { created_at: minute(3) });
    await challenge.grade("ada", 4, { created_at: minute(2), post_challenge: 1 });
    for (const board of ["previous", "previous_ongoing"] as const)
      await toy.records.transaction((trx) =>
        updateStanding(trx, { ...challenge.place(board), participantId: idOf("ada"), until: minute(2) }),
      );
    const placed = (await standings(challenge)).map(({ board, sort_primary }) => [board, -sort_primary]);
    expect(placed).toEqual([
      ["current", 3],
      ["ongoing", 4],
      ["previous", 2],
      ["previous_ongoing", 4],
    ]);
  });
});

describe("a replay of all grades", () => {
  it("gives the boards that the grades made one by one", async () => {
    const challenge = toy.challenge({ score_secondary: { order: "ascending", precision: 1 } });
    const other = toy.challenge();
    await other.grade("ada", 1);
    await challenge.grade("ada", 1, { secondary: 2 });
    await challenge.grade("ada", 1, { secondary: 1 });
    await challenge.grade("bob", 1, { secondary: 1 });
    await challenge.grade("bob", 2, { post_challenge: 1 });
    await challenge.grade("cid", 3, { dry_run: 1 });
    await challenge.grade("cid", 3, { function: "check" });
    await challenge.grade("cid", 3, { baseline: 1 });
    await challenge.grade("cid", 3, { round: "2" });
    const before = await standings(challenge);
    expect(before.map(({ round, board, submission }) => [round, board, submission])).toEqual([
      ["1", "current", "1"],
      ["1", "current", "2"],
      ["1", "ongoing", "1"],
      ["1", "ongoing", "3"],
      ["2", "current", "7"],
      ["2", "ongoing", "7"],
    ]);
    const version = await challenge.version();
    await rebuild(challenge);
    expect(await standings(challenge)).toEqual(before);
    expect(await challenge.version()).toBe(version + 1);
    expect(await standings(other)).toHaveLength(2);
    expect(await other.version()).toBe(1);
  });

  it("makes the boards of grades that came without any", async () => {
    const challenge = toy.challenge();
    await challenge.submit("ada", { state: "graded", sort_primary: -1, sort_secondary: 0, score: 1 });
    await challenge.submit("bob", { state: "failed", round: "2" });
    await rebuild(challenge);
    expect(await challenge.rows()).toEqual([[1, "ada", 1]]);
    expect(await challenge.read()).toMatchObject({ total: 1 });
    const rounds = toy.db.selectFrom("board_rounds").select("round").where("challenge", "=", challenge.id);
    expect(await rounds.execute()).toEqual([{ round: "1" }]);
  });

  it("gives the previous boards up to their window boundary, and keeps it", async () => {
    const challenge = toy.challenge();
    await challenge.grade("ada", 1, { created_at: minute(1) });
    await challenge.grade("ada", 2, { created_at: minute(3) });
    await challenge.grade("bob", 3, { created_at: minute(2), post_challenge: 1 });
    await toy.db
      .updateTable("board_rounds")
      .set({ border: minute(2) })
      .where("challenge", "=", challenge.id)
      .execute();
    await rebuild(challenge);
    const previous = (await standings(challenge)).filter(({ board }) => board.startsWith("previous"));
    expect(previous.map(({ board, submission }) => [board, submission])).toEqual([
      ["previous", "0"],
      ["previous_ongoing", "0"],
      ["previous_ongoing", "2"],
    ]);
  });
});

it("ranks on all present boards are known by round, board and participant", async () => {
  const challenge = toy.challenge();
  await challenge.grade("ada", 1);
  await challenge.grade("bob", 2);
  await challenge.grade("ada", 3, { post_challenge: 1 });
  await challenge.grade("ada", 4, { round: "2" });
  const ranks = await readRanks(toy.db, challenge.id);
  const rank = (round: string, board: "current" | "ongoing" | "previous", participant_id: number) =>
    ranks.get(rankKey({ round, board, participant_id }))?.rank;
  expect([rank("1", "current", 1), rank("1", "ongoing", 1), rank("2", "current", 1)]).toEqual([2, 1, 1]);
  expect([rank("1", "current", 2), rank("2", "current", 2), ranks.size]).toEqual([1, undefined, 6]);
  expect(ranks.get(rankKey({ round: "2", board: "ongoing", participant_id: 1 }))).toEqual({
    ...{ rank: 1, submission: `${challenge.id}-3` },
  });
});

describe("recounting a participant", () => {
  const recount = (challenge: ToyChallenge) =>
    toy.records.transaction((trx) =>
      recountParticipant(trx, { challenge: challenge.id, round: "1", participantId: idOf("ada") }),
    );

  it("takes one who is disqualified off every board, and puts them back", async () => {
    const challenge = toy.challenge({ rounds: [{ id: "1", ends_at: minute(0) }] });
    await challenge.grade("ada", 1, { final: 1, created_at: minute(-9) });
    await challenge.grade("bob", 2, { final: 2 });
    await toy.db
      .updateTable("board_rounds")
      .set({ border: minute(-8) })
      .where("challenge", "=", challenge.id)
      .execute();
    await recount(challenge);
    const all = await standings(challenge);
    const names = (rows: typeof all) => rows.map(({ board, participant_id }) => `${board} ${participant_id}`);
    expect(names(all)).toEqual([
      ...["current 1", "current 2", "final 1", "final 2", "ongoing 1", "ongoing 2"],
      ...["previous 1", "previous_ongoing 1"],
    ]);
    const version = await challenge.version();
    await toy.decide("ada", challenge.id, "disqualified");
    await recount(challenge);
    expect(await challenge.version()).toBe(version + 1);
    expect(names(await standings(challenge))).toEqual(["current 2", "final 2", "ongoing 2"]);
    await toy.decide("ada", challenge.id, "reinstated");
    await recount(challenge);
    expect(await standings(challenge)).toEqual(all);
  });

  it("makes no previous boards before they have a window boundary, and no final one without final scores", async () => {
    const challenge = toy.challenge();
    await challenge.submit("ada", { state: "graded", sort_primary: -1, sort_secondary: 0, score: 1 });
    await recount(challenge);
    expect((await standings(challenge)).map(({ board }) => board)).toEqual(["current", "ongoing"]);
  });
});

describe("the standing of a submission now", () => {
  const context = (challenge: ToyChallenge, now = minute(0)) => ({
    ...{ records: toy.records, catalog: challenge.catalog, clock: () => new Date(now) },
  });

  it("is its participant's rank by now, and whether it holds it", async () => {
    const challenge = toy.challenge();
    const worse = await challenge.grade("ada", 1);
    const best = await challenge.grade("ada", 2);
    const bob = await challenge.grade("bob", 3);
    const read = (row: typeof worse) => readStandingNow(context(challenge), row);
    expect(await read(worse)).toEqual({ rank: 2, best: false });
    expect(await read(best)).toEqual({ rank: 2, best: true });
    expect(await read(bob)).toEqual({ rank: 1, best: true });
    // As if its participant had been taken off the board.
    expect(await read({ ...bob, participant_id: idOf("cid") })).toEqual({ rank: null, best: false });
  });

  it("of a late submission is that on the board which counts it", async () => {
    const challenge = toy.challenge();
    await challenge.grade("bob", 2);
    const early = await challenge.grade("ada", 1);
    const late = await challenge.grade("ada", 3, { post_challenge: 1 });
    const read = standingsReader(context(challenge));
    expect(await read(early)).toEqual({ rank: 2, best: true });
    expect(await read(late)).toEqual({ rank: 1, best: true });
  });

  it("is none for what counts on no board", async () => {
    const challenge = toy.challenge();
    const row = await challenge.grade("ada", 1);
    const read = standingsReader(context(challenge));
    for (const other of [
      { state: "failed" as const },
      { function: "check" },
      { dry_run: 1 },
      { baseline: 1 },
    ])
      expect(await read({ ...row, ...other })).toBeNull();
    expect(await read(row)).not.toBeNull();
  });

  it("is by final scores once they are shown", async () => {
    const challenge = toy.challenge({ rounds: [{ id: "1", ends_at: minute(5) }] });
    const ada = await challenge.grade("ada", 1, { final: 2 });
    await challenge.grade("bob", 2, { final: 1 });
    expect(await readStandingNow(context(challenge), ada)).toEqual({ rank: 2, best: true });
    expect(await readStandingNow(context(challenge, minute(6)), ada)).toEqual({ rank: 1, best: true });
  });

  it("is by public scores where the challenge is no longer served", async () => {
    const challenge = toy.challenge();
    const ada = await challenge.grade("ada", 1);
    const catalog = { ...challenge.catalog, all: () => new Map() };
    expect(await readStandingNow({ ...context(challenge), catalog }, ada)).toEqual({ rank: 1, best: true });
  });

  it("is read once for all submissions of a participant to a round", async () => {
    const challenge = toy.challenge();
    const [first, second] = [await challenge.grade("ada", 1), await challenge.grade("ada", 2)];
    const other = await challenge.grade("ada", 3, { round: "2" });
    const read = standingsReader(context(challenge));
    expect(await read(first)).toEqual({ rank: 1, best: false });
    await challenge.grade("bob", 9);
    expect(await read(second)).toEqual({ rank: 1, best: true });
    expect(await read(other)).toEqual({ rank: 1, best: true });
    expect(await readStandingNow(context(challenge), second)).toEqual({ rank: 2, best: true });
  });

  it("is shown without the rank where the board is hidden", () => {
    expect(withoutRank({ rank: 7, best: true })).toEqual({ rank: null, best: true });
    expect(withoutRank(null)).toBeNull();
  });
});
