import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { idOf, minute, openToyBoards, type ToyBoards } from "../../../test/support/toy-boards.ts";
import { readBoardCsv } from "./board-csv.ts";
import { boardTableColumns } from "./board-table.ts";
import { readOwnedLeaderboard } from "./leaderboard.ts";
import { rebuildStandings } from "./rebuild-standings.ts";

let toy: ToyBoards;
beforeAll(async () => {
  toy = await openToyBoards();
});
afterAll(() => toy.close());

describe("a board", () => {
  it("is empty before the first grade", async () => {
    const { read, config, submit } = toy.challenge();
    await submit("ada");
    expect(await read()).toEqual({
      ...{ challenge: config.id, round: "1", board: "current", columns: [], version: 0, total: 0, rows: [] },
      ...{ final: false, score: config.score, score_secondary: null },
    });
  });

  it("shows each participant's best submission, with all that belongs to the row", async () => {
    const { read, grade } = toy.challenge({
      score_secondary: { order: "ascending", precision: 1 },
      columns: [{ key: "f1" }],
    });
    await grade("ada", 0.5, { secondary: 2 });
    const best = await grade("ada", 0.896, { secondary: 1.23, data: '{"f1":0.25}' });
    await grade("ada", 0.6, { secondary: 1 });
    await grade("bob", 0.7);
    const { rows, total, version, columns } = await read({ viewer: idOf("ada") });
    expect([total, version, columns.map(({ key }) => key)]).toEqual([2, 4, ["f1"]]);
    expect(rows[0]).toEqual({
      ...{ rank: 1, participant: "ada", members: [], profile: null, score: 0.9, score_secondary: 1.2 },
      ...{ score_public: null, columns: { f1: 0.25 }, entries: 3, submission: best.id },
      ...{ submitted_at: minute(1), post_challenge: false, you: true, rank_before: null, highlight: true },
      ...{ baseline: false, media: null, code: null },
    });
    expect(rows[1]).toMatchObject({ rank: 2, you: false, score_secondary: null, columns: { f1: null } });
  });

  it("compares scores as they are rounded, then secondary ones, then the time, then the number", async () => {
    const { rows, grade } = toy.challenge({ score_secondary: { order: "ascending", precision: 1 } });
    await grade("ada", 0.904, { secondary: 5, created_at: minute(0) });
    await grade("bob", 0.9, { secondary: 4.04, created_at: minute(9) });
    await grade("cid", 0.896, { secondary: 4, created_at: minute(8) });
    await grade("dan", 0.9, { secondary: 4, created_at: minute(9) });
    expect((await rows()).map(([, name]) => name)).toEqual(["cid", "bob", "dan", "ada"]);
  });

  it("puts the smallest score first in ascending order, and one without a secondary score behind", async () => {
    const { read, grade } = toy.challenge({
      score: { order: "ascending", precision: 0 },
      score_secondary: { order: "descending", precision: 0 },
    });
    await grade("ada", -0, { secondary: -3 });
    await grade("bob", 0, { secondary: null });
    await grade("cid", 0, { secondary: 0 });
    await grade("dan", -1, { secondary: 7 });
    const { rows } = await read();
    expect(rows.map((row) => [row.participant, row.score, row.score_secondary])).toEqual([
      ["dan", -1, 7],
      ["cid", 0, 0],
      ["ada", 0, -3],
      ["bob", 0, null],
    ]);
  });

  it("has only graded submissions to its round that were meant for it", async () => {
    const { rows, grade, submit } = toy.challenge({ rounds: [{ id: "1" }, { id: "2" }] });
    await grade("ada", 1);
    await grade("bob", 2, { round: "2" });
    await grade("bob", 3, { dry_run: 1 });
    await grade("bob", 4, { function: "evaluate" });
    await submit("bob", { state: "failed" });
    expect(await rows()).toEqual([[1, "ada", 1]]);
    expect(await rows({ round: "2" })).toEqual([[1, "bob", 2]]);
  });

  it("counts late submissions, and shows them, only where they are wanted", async () => {
    const { read, grade, submit } = toy.challenge();
    await grade("ada", 1);
    await grade("ada", 2, { post_challenge: 1 });
    await submit("ada", { dry_run: 1 });
    await submit("ada", { function: "check" });
    await submit("ada", { state: "failed" });
    expect((await read()).rows).toMatchObject([{ score: 1, entries: 2, post_challenge: false }]);
    expect((await read({ board: "ongoing" })).rows).toMatchObject([
      { score: 2, entries: 3, post_challenge: true },
    ]);
  });

  it("is without disqualified participants, whose own submissions stay", async () => {
    const challenge = toy.challenge();
    await challenge.grade("ada", 3);
    await challenge.grade("bob", 2);
    await challenge.grade("cid", 1);
    const replay = () => toy.records.transaction((trx) => rebuildStandings(trx, challenge.id));
    await toy.decide("ada", challenge.id, "disqualified");
    await toy.decide("bob", "another", "disqualified");
    await replay();
    expect(await challenge.rows()).toEqual([
      [1, "bob", 2],
      [2, "cid", 1],
    ]);
    await toy.decide("ada", challenge.id, "reinstated");
    await replay();
    expect((await challenge.rows()).map(([, name]) => name)).toEqual(["ada", "bob", "cid"]);
  });

  it("highlights the leaders of the round that is shown", async () => {
    const { read, grade } = toy.challenge({
      rounds: [
        { id: "1", highlight: 2 },
        { id: "2", highlight: 0 },
      ],
    });
    for (const round of ["1", "2"])
      for (const person of ["ada", "bob", "cid"] as const) await grade(person, 1, { round });
    const leaders = async (round: string) => (await read({ round })).rows.map(({ highlight }) => highlight);
    expect(await leaders("1")).toEqual([true, true, false]);
    expect(await leaders("2")).toEqual([false, false, false]);
  });

  it("of a round that is no longer configured is shown without highlights", async () => {
    const { read, grade } = toy.challenge();
    await grade("ada", 1, { round: "gone" });
    expect((await read({ round: "gone" })).rows).toMatchObject([{ rank: 1, highlight: false }]);
  });
});

describe("baselines", () => {
  it("are placed by their unrounded scores, before participants with equal ones, and have no rank", async () => {
    const { read, grade } = toy.challenge({ score_secondary: { order: "descending", precision: 1 } });
    const baseline = { baseline: 1, baseline_comment: " Random guessing " };
    await grade("ada", 0.9, { secondary: 1 });
    await grade("bob", 0.5, { secondary: 1 });
    await grade("cid", 0.901, baseline);
    await grade("cid", 0.5, { ...baseline, baseline_comment: null, secondary: 1, data: '{"x":1}' });
    await grade("cid", 0.5, { ...baseline, baseline_comment: "  ", secondary: 0.25, post_challenge: 1 });
    const shown = async (query: Parameters<typeof read>[0]) =>
      (await read(query)).rows.map((row) => [row.rank, row.participant, row.score, row.score_secondary]);
    const all = [
      [0, "Random guessing", 0.901, null],
      [1, "ada", 0.9, 1],
      [0, "Baseline", 0.5, 1],
      [2, "bob", 0.5, 1],
    ];
    expect(await shown({})).toEqual(all);
    expect(await read()).toMatchObject({ total: 4 });
    expect((await read()).rows[0]).toEqual({
      ...{ rank: 0, participant: "Random guessing", members: [], profile: null, score: 0.901 },
      ...{ score_secondary: null, score_public: null, columns: {}, entries: 0, submitted_at: minute(2) },
      ...{ submission: expect.any(String), post_challenge: false, you: false, rank_before: null },
      ...{ highlight: false, baseline: true, media: null, code: null },
    });
    const late = [0, "Baseline", 0.5, 0.25];
    expect(await shown({ board: "ongoing" })).toEqual([...all, late]);
    expect((await read({ board: "ongoing" })).rows.at(-1)).toMatchObject({ post_challenge: true });
    expect(await read({ board: "previous" })).toMatchObject({ total: 0, rows: [] });
  });

  it("are on the page where they fall, and count among its rows", async () => {
    const { read, grade } = toy.challenge();
    for (const score of [6, 4, 2]) await grade("dan", score, { baseline: 1, baseline_comment: `${score}` });
    await grade("ada", 5);
    await grade("bob", 3);
    await grade("cid", 1);
    const page = async (offset: number, limit: number) => {
      const { rows, total } = await read({ offset, limit });
      expect(total).toBe(6);
      return rows.map(({ rank, score }) => [rank, score]);
    };
    const all = await page(0, 6);
    expect(all).toEqual([
      [0, 6],
      [1, 5],
      [0, 4],
      [2, 3],
      [0, 2],
      [3, 1],
    ]);
    for (let offset = 0; offset < 7; offset++)
      for (let limit = 1; limit < 5; limit++)
        expect(await page(offset, limit)).toEqual(all.slice(offset, offset + limit));
  });

  it("with equal scores come in the order of their arrival", async () => {
    const { rows, grade } = toy.challenge();
    for (const [comment, at] of [
      ["third", 2],
      ["first", 1],
      ["fourth", 2],
    ] as const)
      await grade("dan", 1, { baseline: 1, baseline_comment: comment, created_at: minute(at) });
    await grade("dan", 2, { baseline: 1, baseline_comment: "best", created_at: minute(9) });
    expect((await rows()).map(([, name]) => name)).toEqual(["best", "first", "third", "fourth"]);
  });
});

describe("the viewer's own row", () => {
  it("has the rank that it has on the whole board, and is alone", async () => {
    const { read, rows, grade } = toy.challenge();
    await grade("ada", 2);
    await grade("bob", 1);
    const own = { ownOnly: true, viewer: idOf("bob") };
    expect(await read(own)).toMatchObject({ total: 1, rows: [{ rank: 2, participant: "bob", you: true }] });
    expect(await rows({ ...own, offset: 1 })).toEqual([]);
    expect(await rows({ ...own, limit: 0 })).toEqual([]);
  });

  it("is missing for visitors, and for participants who are not on the board", async () => {
    const { read, grade } = toy.challenge();
    await grade("ada", 2);
    for (const viewer of [null, idOf("bob")])
      expect(await read({ ownOnly: true, viewer })).toMatchObject({ total: 0, rows: [] });
  });
});

describe("a search", () => {
  it("finds names by a part in any case, with ranks of the whole board, best first", async () => {
    const { read, rows, grade } = toy.challenge();
    await grade("dan", 1);
    await grade("bob", 2);
    await grade("ada", 3);
    expect(await rows({ find: "DA" })).toEqual([
      [1, "ada", 3],
      [3, "dan", 1],
    ]);
    expect(await read({ find: "da", limit: 1 })).toMatchObject({ total: 1, rows: [{ participant: "ada" }] });
    expect(await read({ find: "da", viewer: idOf("dan") })).toMatchObject({
      rows: [{ you: false }, { you: true }],
    });
    for (const text of ["%", "_", "\\", "eve"]) expect(await rows({ find: text })).toEqual([]);
  });

  it("finds teams by their members", async () => {
    const { read, grade } = toy.challenge();
    await grade("ada", 1);
    await grade("bob", 2);
    const key = { owner: "participant" as const, owner_id: idOf("ada"), created_at: minute(0) };
    const names = ["Grace", "Émile"];
    const keys = names.map((member) => ({ ...key, hash: member, member }));
    await toy.db.insertInto("api_keys").values(keys).execute();
    const found = await read({ find: "éMI" });
    expect(found).toMatchObject({ total: 1, rows: [{ rank: 2, participant: "ada" }] });
    expect(found.rows[0]!.members.toSorted()).toEqual(names);
    await toy.db.deleteFrom("api_keys").execute();
  });
});

it("owners of rows are their participants, and baselines have none", async () => {
  const { config, grade } = toy.challenge();
  await grade("bob", 2);
  await grade("cid", 1, { baseline: 1 });
  const query = { round: "1", board: "current", limit: 9, offset: 0, viewer: null, now: new Date() } as const;
  const { board, owners } = await readOwnedLeaderboard(toy.db, config, query);
  expect(owners).toEqual([idOf("bob"), null]);
  expect(board.rows.map(({ participant }) => participant)).toEqual(["bob", "Baseline"]);
});

describe("a board as a table", () => {
  it("has a column for everything that a row shows, and no rank of baselines", async () => {
    const { config, grade } = toy.challenge({ columns: [{ key: "f1" }] });
    await grade("ada", 0.5, { data: '{"f1":2}' });
    await grade("ada", 0.4, { baseline: 1 });
    const key = { owner: "participant" as const, owner_id: idOf("ada"), created_at: minute(0) };
    const keys = ["Émile", "Grace"].map((member) => ({ ...key, hash: member, member }));
    await toy.db.insertInto("api_keys").values(keys).execute();
    const text = await readBoardCsv(toy.db, config, {
      ...{ round: "1", board: "current", viewer: null, now: new Date() },
    });
    await toy.db.deleteFrom("api_keys").execute();
    expect(text.split("\r\n").map((line) => line.replace(config.id, "toy"))).toEqual([
      "round,rank,participant,members,score,score_secondary,data.f1,score_public,rank_before,entries," +
        "submission,submitted_at,post_challenge,baseline",
      `1,1,ada,"Grace, Émile",0.5,,2,,,1,toy-0,${minute(0)},false,false`,
      `1,,Baseline,,0.4,,,,,0,toy-1,${minute(1)},false,true`,
      "",
    ]);
    expect(boardTableColumns(config)).toMatchObject({ rank: "integer", "data.f1": "number" });
  });

  it("is read whole, in pages", async () => {
    const { config, submit } = toy.challenge();
    const { number, ...row } = await submit("ada", { state: "graded", baseline: 1 });
    // Baselines, because one participant may have many of them.
    const more = Array.from({ length: 500 }, (_, i) => ({ ...row, id: `${row.id}-${i}`, score: 500 - i }));
    await toy.db.insertInto("submissions").values(more).execute();
    const query = { round: "1", board: "current", viewer: null, now: new Date() } as const;
    const lines = (await readBoardCsv(toy.db, config, query)).split("\r\n");
    expect(lines.slice(1, -2).map((line) => line.split(",")[4])).toEqual(more.map(({ score }) => `${score}`));
    expect(lines).toHaveLength(503);
  });
});
