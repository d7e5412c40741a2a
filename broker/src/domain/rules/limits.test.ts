import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChallengeConfig, challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { writeMigratedSqlite } from "../../../test/support/migrated-sqlite.ts";
import type { Db, Records } from "../../records/records.ts";
import { openSqlite } from "../../records/sqlite.ts";
import { readLimits, requireParallel, requireSlot } from "./limits.ts";
import { requireQualification } from "./qualification.ts";
import { targetRound } from "./target-round.ts";
import { requireTrials } from "./trials.ts";

const NOW = new Date("2026-03-10T12:00:00.000Z");
const HOUR = 3_600_000;
const ago = (ms: number) => new Date(NOW.getTime() - ms).toISOString();
const ADA = 1;
const BOB = 2;

const folder = mkdtempSync(join(tmpdir(), "crowdai-rules-"));
let records: Records;
let db: Db;
beforeAll(async () => {
  await writeMigratedSqlite(join(folder, "records.sqlite"));
  records = await openSqlite(join(folder, "records.sqlite"));
  db = records.db;
  const people = ["ada", "bob"].map((name) => ({ name, name_key: name, created_at: "" }));
  await db.insertInto("participants").values(people).execute();
});
afterEach(async () => {
  for (const table of ["slots", "standings", "submissions", "closures"] as const)
    await db.deleteFrom(table).execute();
});
afterAll(async () => {
  await records.close();
  rmSync(folder, { recursive: true });
});

const challenge = (rounds: object[], more: object = {}): ChallengeConfig =>
  challengeConfigSchema.parse({
    ...{ id: "test", title: "A test", score: { order: "descending", precision: 1 }, accepts: { json: {} } },
    ...{ evaluator: { command: ["true"], functions: ["submit", "check"] }, rounds, ...more },
  });

let made = 0;
async function submit(more: object = {}): Promise<string> {
  const id = `s${++made}`;
  const row = {
    ...{
      id,
      challenge: "test",
      participant_id: ADA,
      round: "1",
      function: "submit",
      state: "graded" as const,
    },
    ...{ message: null, dry_run: 0, post_challenge: 0, input_kind: "json" as const, input_name: null },
    ...{ input_size: 2, input_sha256: "", input_data: "{}", input_key: null, created_at: ago(0) },
    ...{ accepted_at: "", deadline_at: null, attempt: 1, starts: 1, seq: 4, model_count: 0, ...more },
  };
  await db.insertInto("submissions").values(row).execute();
  return id;
}
async function useSlot(reserved_at: string, more: object = {}): Promise<void> {
  const submission = await submit();
  const slot = { submission, participant_id: ADA, challenge: "test", round: "1", post_challenge: 0 };
  await db
    .insertInto("slots")
    .values({ ...slot, state: "charged", reserved_at, settled_at: null, reason: null, ...more })
    .execute();
}

describe("slots", () => {
  const LIMITED = [
    { id: "1", limit: { count: 2, per: "day" } },
    { id: "2", limit: { count: 5, per: "week", scope: "round" } },
    { id: "3", limit: { count: 1, per: "round" } },
    { id: "free", parallel_limit: null },
  ];
  const config = challenge(LIMITED);
  const [daily, weekly, once, free] = config.rounds;
  const limits = (round = daily!) => readLimits(db, config, round, ADA, NOW);
  const require = (round = daily!, participant = ADA) => requireSlot(db, config, round, participant, NOW);

  it("of a day count in a sliding window over all rounds, and the oldest says when the next is free", async () => {
    await useSlot(ago(24 * HOUR));
    await useSlot(ago(24 * HOUR - 1));
    expect(await limits()).toMatchObject({ used: 1, used_in_other_rounds: 0, remaining: 1 });
    await require();
    await useSlot(ago(HOUR), { round: "2", state: "reserved" });
    expect(await limits()).toMatchObject({
      ...{ challenge: "test", round: "1", limit: { count: 2, per: "day", scope: "challenge" } },
      ...{
        used: 2,
        used_in_other_rounds: 1,
        remaining: 0,
        next_at: new Date(NOW.getTime() + 1).toISOString(),
      },
    });
    const next_at = new Date(NOW.getTime() + 1).toISOString();
    await expect(require()).rejects.toMatchObject({
      code: "no_slots",
      message: `You have used all 2 submissions per day for test (1 of them in other rounds). The next slot is free at ${next_at}.`,
      details: { limit: { count: 2, per: "day" }, used: 2, used_in_other_rounds: 1, next_at },
    });
    await useSlot(ago(HOUR));
    expect(await limits()).toMatchObject({ used: 3, remaining: 0 });
    await expect(require()).rejects.toMatchObject({ code: "no_slots" });
    await require(daily, BOB);
  });

  it("of a week with a scope count those of the round alone", async () => {
    await useSlot(ago(7 * 24 * HOUR - 1), { round: "2" });
    await useSlot(ago(7 * 24 * HOUR), { round: "2" });
    await useSlot(ago(HOUR));
    expect(await limits(weekly)).toMatchObject({ used: 1, used_in_other_rounds: 0, remaining: 4 });
  });

  it("that were returned, and those of others and of other challenges, do not count", async () => {
    await useSlot(ago(HOUR), { state: "returned" });
    await useSlot(ago(HOUR), { participant_id: BOB });
    await useSlot(ago(HOUR), { challenge: "other" });
    expect(await limits()).toMatchObject({ used: 0, remaining: 2, next_at: null });
  });

  it("of a round count for ever, except those after its end", async () => {
    await useSlot(ago(HOUR), { round: "3", post_challenge: 1 });
    await require(once);
    await useSlot(ago(9000 * HOUR), { round: "3" });
    expect(await limits(once)).toMatchObject({ used: 1, remaining: 0, next_at: null });
    await expect(require(once)).rejects.toThrow(
      "You have used all 1 submissions per round for test. This round has no more slots.",
    );
  });

  it("are not limited where the round says so", async () => {
    await useSlot(ago(HOUR), { round: "free" });
    await require(free);
    expect(await limits(free)).toMatchObject({
      ...{ round: "free", limit: null, used: 0, used_in_other_rounds: 0, remaining: null, next_at: null },
      ...{ parallel_limit: null },
    });
    expect(await readLimits(db, config, null, ADA, NOW)).toMatchObject({
      ...{ round: null, limit: null, used: 0, remaining: null, parallel_limit: null },
      ...{ ends_at: null, opens_at: null, closed_at: null },
    });
  });

  it("of an open round are gone once the challenge is closed; those of a round that ended are shown", async () => {
    const ends_at = ago(HOUR);
    const closing = challenge([
      { ...LIMITED[0], ends_at },
      { id: "open", limit: { count: 1, per: "round" } },
    ]);
    const [ended, open] = closing.rounds;
    expect(await readLimits(db, closing, open!, ADA, NOW)).toMatchObject({ round: "open", closed_at: null });
    await db
      .insertInto("closures")
      .values({ challenge: "test", closed_at: ago(5), version: 1, shown: 0 })
      .execute();
    expect(await readLimits(db, closing, open!, ADA, NOW)).toMatchObject({
      ...{ round: null, limit: null, closed_at: ago(5), opens_at: null },
    });
    expect(await readLimits(db, closing, ended!, ADA, NOW)).toMatchObject({
      round: "1",
      ends_at,
      remaining: 2,
    });
    expect(await readLimits(db, closing, null, ADA, NOW)).toMatchObject({ round: null });
  });

  it("show when the next round opens", async () => {
    const starts_at = new Date(NOW.getTime() + HOUR).toISOString();
    const upcoming = challenge([{ id: "1", starts_at }]);
    expect(await readLimits(db, upcoming, upcoming.rounds[0]!, ADA, NOW)).toMatchObject({
      opens_at: starts_at,
    });
    await db
      .insertInto("closures")
      .values({ challenge: "test", closed_at: ago(5), version: 1, shown: 0 })
      .execute();
    const closed = await readLimits(db, upcoming, upcoming.rounds[0]!, ADA, NOW);
    expect(closed).toMatchObject({ round: "1", opens_at: null, closed_at: ago(5) });
  });
});

describe("unfinished submissions", () => {
  const config = challenge([
    { id: "1", parallel_limit: 2 },
    { id: "any", parallel_limit: null },
  ]);
  const [two, any] = config.rounds;

  it("are limited together, in whatever state they are, but neither those of others nor other functions", async () => {
    for (const more of [
      { state: "graded" },
      { state: "failed" },
      { state: "submitted", participant_id: BOB },
      { state: "submitted", challenge: "other" },
      { state: "submitted", function: "check" },
      { state: "submitted", outside_status: "initiated" },
      { state: "initiated" },
    ])
      await submit(more);
    expect(await readLimits(db, config, two!, ADA, NOW)).toMatchObject({
      ...{ running: 1, uploading: 1, parallel_limit: 2 },
    });
    await requireParallel(db, config, two!, ADA);
    await submit({ state: "grading", outside_status: "submitted" });
    await expect(requireParallel(db, config, two!, ADA)).rejects.toMatchObject({
      code: "parallel_limit",
      message:
        "2 of your submissions are unfinished (1 being uploaded, 1 waiting for a grade); test allows 2 at a time.",
      details: { running: 2, uploading: 1, parallel_limit: 2 },
    });
    await expect(requireSlot(db, config, two!, ADA, NOW)).rejects.toMatchObject({ code: "parallel_limit" });
    await requireSlot(db, config, any!, ADA, NOW);
    await requireParallel(db, config, any!, ADA);
  });

  it("are counted in the refusal as they are", async () => {
    const [one] = challenge([{ id: "1", parallel_limit: 1 }]).rounds;
    await submit({ state: "submitted" });
    await expect(requireParallel(db, config, one!, ADA)).rejects.toThrow(
      "1 of your submissions is unfinished (1 waiting for a grade); test allows 1 at a time.",
    );
  });
});

describe("trials of a check", () => {
  const config = challenge([{ id: "1" }], { check: { function: "check", per_hour: 2 } });
  const trial = (more = 1, participantId = ADA) =>
    requireTrials(db, config, { function: "check", participantId, more }, NOW);

  it("are limited per hour, and the refusal says when the next is possible", async () => {
    await submit({ function: "check", created_at: ago(HOUR) });
    await submit({ function: "check", created_at: ago(HOUR - 1) });
    await submit({ created_at: ago(5) });
    await trial();
    const next_at = new Date(NOW.getTime() + 1).toISOString();
    const refused = { code: "too_many_requests", details: { limit: 2, used: 1, next_at } };
    await expect(trial(2)).rejects.toMatchObject({
      ...refused,
      next: `The next one is possible at ${next_at}. Submissions are also checked before their slot is charged.`,
    });
    await trial(2, BOB);
    await submit({ function: "check", created_at: ago(5) });
    await expect(trial()).rejects.toMatchObject({ code: "too_many_requests" });
    await expect(trial(3, BOB)).rejects.toMatchObject({
      next: "Submissions are also checked before their slot is charged.",
      details: { next_at: null },
    });
  });

  it("do not limit other functions, nor challenges without a check", async () => {
    await requireTrials(db, config, { function: "other", participantId: ADA, more: 9 }, NOW);
    const without = challenge([{ id: "1" }]);
    await requireTrials(db, without, { function: "check", participantId: ADA, more: 9 }, NOW);
  });
});

describe("a score that a round requires", () => {
  const ROUNDS = [
    { id: "1", starts_at: ago(2 * HOUR) },
    { id: "2", starts_at: ago(HOUR), minimum_score: 0.5 },
  ];
  const board = (sort_primary: number, more: object = {}) =>
    db
      .insertInto("standings")
      .values({
        ...{ challenge: "test", round: "1", board: "current", participant_id: ADA, submission: "s" },
        ...{ submission_number: 1, submitted_at: "", sort_primary, sort_secondary: 0, ...more },
      })
      .execute();
  const qualify = (config = challenge(ROUNDS), round = "2") =>
    requireQualification(db, config, targetRound(config, round, NOW), ADA);

  it("is compared with the participant's own on the board of the round before", async () => {
    await board(-0.9, { round: "2" });
    await board(-0.9, { participant_id: BOB });
    await board(-0.9, { board: "previous" });
    await expect(qualify()).rejects.toMatchObject({
      code: "not_qualified",
      message: 'Round "2" requires a score of at least 0.5 in round "1"; you have none.',
      details: { minimum_score: 0.5, reached: null, round: "1" },
    });
    await board(-0.4);
    await expect(qualify()).rejects.toThrow("yours is 0.4.");
  });

  it.each([-0.5, -0.6])("is met by an equal or better one (%d)", async (key) => {
    await board(key);
    await qualify();
  });

  it("is not met without a score, though it may be zero", async () => {
    const zero = challenge([ROUNDS[0]!, { ...ROUNDS[1], minimum_score: 0 }]);
    await expect(qualify(zero)).rejects.toMatchObject({ details: { minimum_score: 0, reached: null } });
    await board(0);
    await qualify(zero);
  });

  it("is a maximum where lower is better", async () => {
    const ascending = challenge(ROUNDS, { score: { order: "ascending", precision: 1 } });
    await board(0.6);
    await expect(qualify(ascending)).rejects.toThrow("at most 0.5");
    await db.updateTable("standings").set({ sort_primary: 0.5 }).execute();
    await qualify(ascending);
  });

  it("is not asked for in a first round, nor where there is none", async () => {
    await qualify(challenge([{ id: "1", starts_at: ago(HOUR), minimum_score: 0.5 }]), "1");
    await qualify(challenge([ROUNDS[0]!, { id: "2", starts_at: ago(HOUR) }]));
  });
});
