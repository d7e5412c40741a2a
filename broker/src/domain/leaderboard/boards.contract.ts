import { BOARDS, type Leaderboard, roundScore } from "@crowdai/shared";
import { type ChallengeConfig, challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeStatus } from "../../http/webapp-api/write-status.ts";
import type { Records } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { Catalog } from "../challenges/catalog.ts";
import { updateBoards } from "../submissions/update-boards.ts";
import { writeFailure, writeGrade } from "../submissions/write-outcome.ts";
import type { Board } from "./boards.ts";
import { maxSelected, updateFinalStanding } from "./final-board.ts";
import { readFinals } from "./final-shown.ts";
import { readLeaderboard } from "./leaderboard.ts";
import { advanceWindows } from "./ranking-window.ts";
import { rebuildStandings } from "./rebuild-standings.ts";

const HOUR = 3_600_000;
const START = Date.parse("2026-01-01T00:00:00.250Z");
const PEOPLE = 6;

/**
 * Runs the same tests on either database, with one random history for each seed. Each history has a challenge
 * of its own, so that all can share one database.
 */
export function boardsContract(open: () => Promise<Records>, seeds: readonly number[]): void {
  let records: Records;
  beforeAll(async () => {
    records = await open();
    const people = Array.from({ length: 300 }, (_, i) => ({ name: `p${i}`, name_key: `p${i}` }));
    await records.db
      .insertInto("participants")
      .values(people.map((person) => ({ ...person, created_at: at(0) })))
      .execute();
  });
  afterAll(() => records?.close());

  it.each(seeds)(
    "all five follow the rules for any history (%i)",
    async (seed) => {
      const history = createHistory(records, `random-${seed}`, seed);
      for (let turn = 0; turn < 12; turn++) {
        for (let change = 0; change < 10; change++) await history.change();
        await history.check();
      }
    },
    300_000,
  );

  it("are correct with more participants than fit into one block", async () => {
    const history = createHistory(records, "many", 7);
    await history.gradeMany(340);
    await history.check();
    await history.rebuild();
    await history.check();
    await history.failMany(150);
    await history.check();
    expect(await history.finals()).toBe(1);
  }, 300_000);

  it("are searched by names of participants and of their teams' members, in any case of letters", async () => {
    const history = createHistory(records, "searched", 9);
    await history.gradeMany(12);
    const { rows } = await readLeaderboard(records.db, history.config(), WHOLE);
    const ids = await records.db.selectFrom("participants").select(["id", "name"]).execute();
    const idOf = (name: string) => ids.find((one) => one.name === name)!.id;
    const [best, other, left] = rows
      .filter(({ baseline }) => !baseline)
      .map(({ participant }) => participant);
    const keys = [
      [best, "Émile Zola", null],
      [other, "Émile Zola", null],
      [left, "Émile Zola", at(1)],
    ] as const;
    for (const [i, [name, member, revoked_at]] of keys.entries())
      await records.db
        .insertInto("api_keys")
        .values({
          hash: `${i}`,
          owner: "participant",
          owner_id: idOf(name!),
          created_at: at(0),
          member,
          revoked_at,
        })
        .execute();
    const find = async (text: string) =>
      (await readLeaderboard(records.db, history.config(), { ...WHOLE, find: text })).rows.map((row) => [
        row.rank,
        row.participant,
        row.members,
      ]);
    const members = ["Émile Zola"];
    expect(await find("éMILE")).toEqual([
      [1, best, members],
      [2, other, members],
    ]);
    expect(await find("%")).toEqual([]);
    expect(await find(left!)).toContainEqual([3, left, []]);
  }, 300_000);

  it("keep ranks correct when many grades arrive at once", async () => {
    const history = createHistory(records, "at-once", 8);
    await history.gradeAtOnce(40);
    await history.check();
  }, 300_000);
}

const WHOLE = {
  round: "1",
  board: "current",
  limit: 20,
  offset: 0,
  viewer: null,
  now: new Date(START),
} as const;

const at = (ms: number) => new Date(START + ms).toISOString();

function createHistory(records: Records, challenge: string, seed: number) {
  const random = numbers(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const { db } = records;
  // Two of three histories have final scores, one of them with a single selected submission.
  const select = seed % 3;
  const newConfig = (hours: number) => configOf(challenge, hours, seed % 2 === 0, select);
  let config = newConfig(4);
  let time = 0;
  let made = 0;
  const catalog = { all: () => new Map([[challenge, { config }]]) } as unknown as Catalog;

  async function arrive(participant: number): Promise<SubmissionRow> {
    // Often at the same moment as the one before it.
    if (random() < 0.7) time += Math.floor(random() * HOUR);
    return db
      .insertInto("submissions")
      .values({
        id: `${challenge}-${made++}`,
        challenge,
        participant_id: participant,
        round: "1",
        function: random() < 0.05 ? "evaluate" : "submit",
        state: "submitted",
        dry_run: random() < 0.05 ? 1 : 0,
        post_challenge: random() < 0.2 ? 1 : 0,
        baseline: random() < 0.08 ? 1 : 0,
        baseline_comment: random() < 0.5 ? "Random guessing" : null,
        input_kind: "json",
        input_size: 1,
        input_sha256: "",
        created_at: at(time),
        attempt: 1,
        starts: 1,
        seq: 1,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  }
  const score = () => Math.round(random() * 8) / 4 + (random() < 0.5 ? 0.0004 : 0);
  const finalScore = () => (select > 0 && random() < 0.9 ? score() : null);
  const grade = (row: SubmissionRow, value = score()) =>
    records.transaction((trx) =>
      writeGrade(
        trx,
        config,
        row,
        outcomeOf(value, random() < 0.3 ? null : score(), finalScore()),
        new Date(START + time),
      ),
    );
  const rebuild = () => records.transaction((trx) => rebuildStandings(trx, challenge));
  const any = async (...states: SubmissionRow["state"][]) => {
    const rows = await db
      .selectFrom("submissions")
      .selectAll()
      .where("challenge", "=", challenge)
      .where("state", "in", states)
      .orderBy("number")
      .execute();
    return rows.length === 0 ? null : pick(rows);
  };

  const changes: (() => Promise<unknown>)[] = [
    () => arrive(1 + Math.floor(random() * PEOPLE)),
    async () => grade(await arrive(1 + Math.floor(random() * PEOPLE))),
    async () => grade(await arrive(1 + Math.floor(random() * PEOPLE))),
    async () => {
      const row = await any("submitted");
      if (row) await grade(row);
    },
    // Cancelled or failed.
    async () => {
      const row = await any("submitted");
      const code = random() < 0.5 ? ("cancelled" as const) : ("rejected" as const);
      if (row) await records.transaction((trx) => writeFailure(trx, row, { code, message: "" }, new Date()));
    },
    // Changed by an external grader.
    async () => {
      const row = await any("graded");
      if (row?.function !== "submit" || row.dry_run === 1) return;
      const status = random() < 0.5 ? ("failed" as const) : ("graded" as const);
      const sent = { status, score: score(), secondary: score(), message: "changed" };
      await records.transaction((trx) => writeStatus(trx, config, row, sent, new Date()));
    },
    // Marked as a baseline, or unmarked.
    async () => {
      const row = await any("graded", "failed");
      if (row?.function !== "submit" || row.dry_run === 1) return;
      await records.transaction(async (trx) => {
        const changed = await trx
          .updateTable("submissions")
          .set({ baseline: 1 - row.baseline })
          .where("id", "=", row.id)
          .returningAll()
          .executeTakeFirstOrThrow();
        await updateBoards(trx, changed);
      });
    },
    // Selected for the final ranking, or no longer.
    async () => {
      const row = await any("graded");
      if (row?.function !== "submit" || row.dry_run === 1 || row.post_challenge === 1) return;
      const key = { challenge, round: "1", participant_id: row.participant_id, submission: row.id };
      await records.transaction(async (trx) => {
        const removed = await trx
          .deleteFrom("final_selections")
          .where("submission", "=", row.id)
          .executeTakeFirst();
        if (removed.numDeletedRows === 0n)
          await trx
            .insertInto("final_selections")
            .values({ ...key, selected_at: at(time) })
            .execute();
        const finals = await readFinals(trx, row);
        if (finals > 0) await updateFinalStanding(trx, row, finals);
      });
    },
    // A regrade ends with this; it must change nothing.
    () => rebuild(),
    () => advanceWindows({ records, catalog }),
    async () => {
      if (random() < 0.2) config = newConfig(1 + Math.floor(random() * 8));
    },
  ];

  return {
    config: () => config,
    change: () => pick(changes)(),
    async gradeMany(count: number) {
      for (let i = 0; i < count; i++)
        await grade(await arrive(1 + (i % 300)), Math.round(random() * 500) / 500);
    },
    async failMany(count: number) {
      const graded = await db
        .selectFrom("submissions")
        .selectAll()
        .where("challenge", "=", challenge)
        .where("state", "=", "graded")
        .where("function", "=", "submit")
        .where("dry_run", "=", 0)
        .orderBy("id")
        .limit(count)
        .execute();
      const failed = { status: "failed" as const, score: null, secondary: null, message: "" };
      for (const row of graded)
        await records.transaction((trx) => writeStatus(trx, config, row, failed, new Date()));
    },
    rebuild,
    finals: () => readFinals(db, { challenge, round: "1" }),
    async gradeAtOnce(count: number) {
      const rows = [];
      for (let i = 0; i < count; i++) rows.push(await arrive(1 + (i % 20)));
      await Promise.all([...rows.map((row) => grade(row)), advanceWindows({ records, catalog })]);
    },
    async check() {
      await advanceWindows({ records, catalog });
      const submissions = await db
        .selectFrom("submissions")
        .innerJoin("participants", "participants.id", "submissions.participant_id")
        .selectAll("submissions")
        .leftJoin("final_scores", "final_scores.submission", "submissions.id")
        .leftJoin("final_selections", "final_selections.submission", "submissions.id")
        .select(["participants.name", "final_score as final", "selected_at"])
        .where("submissions.challenge", "=", challenge)
        .execute();
      const boards: Board[] = (await this.finals()) > 0 ? [...BOARDS, "final"] : [...BOARDS];
      for (const board of boards) {
        const expected =
          board === "final" ? naiveFinal(config, submissions) : naiveBoard(config, submissions, board);
        const shown = board === "final" ? ended(config) : config;
        const read = (offset: number, limit: number) =>
          readLeaderboard(db, shown, {
            ...{ round: "1", offset, limit, viewer: null, now: new Date() },
            board: board === "final" ? "current" : board,
          });
        const whole = await read(0, 1000);
        expect({ board, rows: whole.rows.map(essence), total: whole.total }).toEqual({
          board,
          rows: expected,
          total: expected.length,
        });
        const offset = Math.floor(random() * (expected.length + 2));
        expect((await read(offset, 3)).rows).toEqual(whole.rows.slice(offset, offset + 3));
      }
    },
  };
}

const essence = (row: Leaderboard["rows"][number]) => ({
  rank: row.rank,
  participant: row.participant,
  score: row.score,
  secondary: row.score_secondary,
  entries: row.entries,
  submission: row.submission,
  before: row.rank_before,
  highlight: row.highlight,
  baseline: row.baseline,
});

type Named = SubmissionRow & { name: string; final: number | null; selected_at: string | null };

const ended = (config: ChallengeConfig): ChallengeConfig => ({
  ...config,
  rounds: [{ ...config.rounds[0]!, ends_at: at(0) }],
});

/** The public board of only those submissions that count for the final one, with their final scores. */
function naiveFinal(config: ChallengeConfig, all: Named[]): ReturnType<typeof essence>[] {
  const here = all.filter(
    (row) => row.function === "submit" && row.dry_run === 0 && row.post_challenge === 0,
  );
  const ranked = here.filter((row) => row.state === "graded" && row.baseline === 0);
  const sorted = ranked.sort(
    (a, b) =>
      inOrder(keysOf(config, a, true), keysOf(config, b, true)) ||
      a.created_at.localeCompare(b.created_at) ||
      a.number - b.number,
  );
  const ofSame = (row: Named) => sorted.filter((other) => other.participant_id === row.participant_id);
  const counts = sorted.filter((row) =>
    ofSame(row).some(({ selected_at }) => selected_at !== null)
      ? row.selected_at !== null
      : ofSame(row).indexOf(row) < maxSelected(config),
  );
  const before = naiveBoard(config, all, "current");
  const rows = [...counts, ...here.filter((row) => row.baseline === 1)].map((row) => ({
    ...row,
    score: row.final,
  }));
  return naiveBoard(config, rows, "current").map((row) => ({
    ...row,
    entries: before.find((then) => then.participant === row.participant && !then.baseline)?.entries ?? 0,
    before: row.baseline
      ? null
      : before.find((then) => then.participant === row.participant && !then.baseline)!.rank,
  }));
}

/** The rules, implemented again: from all submissions, without stored state. */
function naiveBoard(config: ChallengeConfig, all: Named[], board: Board): ReturnType<typeof essence>[] {
  const late = board.endsWith("ongoing");
  const round = config.rounds[0]!;
  const arrived = all.filter((row) => row.function === "submit" && row.dry_run === 0);
  const newest = Math.max(...arrived.map((row) => Date.parse(row.created_at)));
  const border = Math.floor((newest - round.ranking_window_hours * HOUR) / 1000) * 1000;
  const until = board.startsWith("previous") ? border : Number.POSITIVE_INFINITY;
  const here = arrived.filter(
    (row) => Date.parse(row.created_at) <= until && (late || row.post_challenge === 0),
  );
  const ranked = bestOfEach(config, here);
  const then =
    board === "current"
      ? naiveBoard(config, all, "previous")
      : board === "ongoing"
        ? naiveBoard(config, all, "previous_ongoing")
        : [];
  const rows = ranked.map((row, index) => ({
    keys: keysOf(config, row, true),
    row: {
      rank: index + 1,
      participant: row.name,
      score: shown(config.score.precision, row.score),
      secondary: config.score_secondary ? shown(config.score_secondary.precision, row.score_secondary) : null,
      entries: here.filter((one) => one.participant_id === row.participant_id && one.baseline === 0).length,
      submission: row.id,
      before: then.find(({ participant }) => participant === row.name)?.rank ?? null,
      highlight: index < round.highlight,
      baseline: false,
    },
  }));
  if (board.startsWith("previous")) return rows.map(({ row }) => row);
  const baselines = here
    .filter((row) => row.baseline === 1 && row.state === "graded")
    .sort((a, b) => a.created_at.localeCompare(b.created_at) || a.number - b.number)
    .map((row) => ({
      keys: keysOf(config, row, false),
      row: {
        rank: 0,
        participant: row.baseline_comment ?? "Baseline",
        score: row.score,
        secondary: config.score_secondary ? row.score_secondary : null,
        entries: 0,
        submission: row.id,
        before: null,
        highlight: false,
        baseline: true,
      },
    }));
  return [...baselines, ...rows].sort((a, b) => inOrder(a.keys, b.keys)).map(({ row }) => row);
}

function bestOfEach(config: ChallengeConfig, rows: Named[]): Named[] {
  const sorted = rows
    .filter((row) => row.state === "graded" && row.baseline === 0)
    .sort(
      (a, b) =>
        inOrder(keysOf(config, a, true), keysOf(config, b, true)) ||
        a.created_at.localeCompare(b.created_at) ||
        a.number - b.number,
    );
  return sorted.filter(
    (row, index) => sorted.findIndex((other) => other.participant_id === row.participant_id) === index,
  );
}

const shown = (precision: number, score: number | null) =>
  score === null ? null : roundScore(score, precision);

function keysOf(config: ChallengeConfig, row: Named, rounded: boolean): number[] {
  const one = (rule: ChallengeConfig["score"], score: number | null) => {
    if (score === null) return Number.POSITIVE_INFINITY;
    const value = rounded ? roundScore(score, rule.precision) : score;
    return rule.order === "descending" ? -value : value;
  };
  const keys = [one(config.score, row.score)];
  if (config.score_secondary) keys.push(one(config.score_secondary, row.score_secondary));
  return keys;
}

function inOrder(a: number[], b: number[]): number {
  for (const [index, key] of a.entries()) if (key !== b[index]) return key < b[index]! ? -1 : 1;
  return 0;
}

const outcomeOf = (score: number, secondary: number | null, final: number | null) => ({
  ok: true as const,
  score,
  score_secondary: secondary,
  score_final: final,
  message: null,
  meta: {},
  data: null,
  media: null,
  artifacts: [],
  evaluator_version: "1",
});

const configOf = (id: string, hours: number, withSecondary: boolean, select: number): ChallengeConfig =>
  challengeConfigSchema.parse({
    id,
    title: id,
    score: { precision: 2, order: withSecondary ? "ascending" : "descending" },
    ...(withSecondary ? { score_secondary: { precision: 1, order: "descending" } } : {}),
    rounds: [{ id: "1", ranking_window_hours: hours, highlight: 2 }],
    evaluator: { command: ["true"] },
    ...(select > 0 ? { final: { select } } : {}),
  });

/** Returns the same numbers for the same seed. */
function numbers(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
