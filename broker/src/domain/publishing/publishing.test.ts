import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { intentSchema } from "@crowdai/shared";
import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { writeMigratedSqlite } from "../../../test/support/migrated-sqlite.ts";
import type { Db, Records } from "../../records/records.ts";
import { openSqlite } from "../../records/sqlite.ts";
import { closeChallenge, readClosed, requireNotClosed } from "./close-challenge.ts";
import { countAwaited, publishDue } from "./publish-due.ts";
import { addPublishRequest, requirePublishable } from "./publish-requests.ts";

const NOW = new Date("2026-03-10T12:00:00.000Z");
const LATER = new Date("2026-03-11T12:00:00.000Z");
const ADA = 1;
const BOB = 2;

const folder = mkdtempSync(join(tmpdir(), "crowdai-publishing-"));
let records: Records;
let db: Db;
/** The locks that were taken. */
const locked: string[] = [];
beforeAll(async () => {
  await writeMigratedSqlite(join(folder, "records.sqlite"));
  const opened = await openSqlite(join(folder, "records.sqlite"));
  db = opened.db;
  records = {
    ...opened,
    lock: async (trx, name) => {
      locked.push(name);
      await opened.lock(trx, name);
    },
  };
  const people = ["ada", "bob"].map((name) => ({ name, name_key: name, created_at: "" }));
  await db.insertInto("participants").values(people).execute();
});
afterEach(async () => {
  locked.length = 0;
  for (const table of [
    "publications",
    "submission_code",
    "submissions",
    "closures",
    "shown_repositories",
  ] as const)
    await db.deleteFrom(table).execute();
});
afterAll(async () => {
  await records.close();
  rmSync(folder, { recursive: true });
});

const submission = (id: string, more: object = {}) => ({
  ...{ id, challenge: "test", participant_id: ADA, round: "1", function: "submit", state: "graded" as const },
  ...{ message: null, dry_run: 0, post_challenge: 0, input_kind: "json" as const, input_name: null },
  ...{ input_size: 2, input_sha256: "", input_data: "{}", input_key: null, created_at: "" },
  ...{ accepted_at: "", deadline_at: null, attempt: 1, starts: 1, seq: 4, model_count: 0, publish: 1 },
  ...more,
});
const submit = (id: string, more: object = {}) =>
  db.insertInto("submissions").values(submission(id, more)).execute();
const code = (submission: string, more: object = {}) => ({
  ...{ submission, challenge: "test", participant_id: ADA, state: "stored" as const, commit_name: "c" },
  ...{ tree: "t", files: 1, bytes: 1, holds: 0, deadline_at: null, final_seq: null, final_commit: null },
  ...more,
});
const addCode = (submission: string, more: object = {}) =>
  db.insertInto("submission_code").values(code(submission, more)).execute();
const close = (options: { force?: boolean; now?: Date } = {}, config: object | null = null) =>
  closeChallenge(
    records,
    config &&
      challengeConfigSchema.parse({
        ...{ id: "test", title: "A test", score: { order: "descending" }, accepts: { json: {} } },
        ...{ evaluator: { command: ["true"] }, ...config },
      }),
    "test",
    { force: false, now: NOW, ...options },
  );
const published = async () =>
  (
    await db.selectFrom("submissions").select("id").where("published_at", "=", NOW.toISOString()).execute()
  ).map(({ id }) => id);
const places = async () =>
  (await db.selectFrom("publications").selectAll().orderBy("participant_id").orderBy("seq").execute()).map(
    ({ submission, participant_id, seq }) => [submission, participant_id, seq],
  );
const version = async () =>
  (await db.selectFrom("closures").select("version").executeTakeFirstOrThrow()).version;

describe("a challenge", () => {
  it("is not closed while a round is open or to come, unless it is forced", async () => {
    const until = (ends_at: string | null) => ({ rounds: [{ id: "1", ends_at }] });
    await expect(close({}, until(LATER.toISOString()))).rejects.toMatchObject({
      code: "challenge_running",
      message: `Round "1" of test ends on ${LATER.toISOString()}.`,
    });
    await expect(close({}, until(null))).rejects.toThrow('Round "1" of test has no end.');
    await requireNotClosed(db, "test");
    expect(await readClosed(db, "test")).toBeNull();
    await close({ force: true }, until(null));
    await expect(requireNotClosed(db, "test")).rejects.toMatchObject({
      code: "challenge_closed",
      message: `test was closed on ${NOW.toISOString()}.`,
      next: "See its leaderboard with `crowdai leaderboard`.",
    });
    // Closing it again needs no force, and does not change when it was closed.
    await close({ now: LATER }, until(null));
    expect(await readClosed(db, "test")).toEqual({
      ...{ challenge: "test", closed_at: NOW.toISOString(), submissions: 0, participants: 0 },
      ...{ awaited: 0, shown: true, problems: [] },
    });
    expect(new Set(locked)).toEqual(new Set(["closing:test"]));
    expect(locked).toHaveLength(4);
  });

  it("is closed once all of its rounds have ended, and without a folder", async () => {
    await close({}, { rounds: [{ id: "1", ends_at: "2026-01-01T00:00:00Z" }] });
    expect(await readClosed(db, "test")).not.toBeNull();
    await close();
  });

  it("that is closed shows what became public, what will follow, and problems of its host", async () => {
    await submit("one");
    await submit("two", { participant_id: BOB });
    await submit("three", { participant_id: BOB });
    await submit("waiting", { state: "submitted" });
    await close();
    const problem = { challenge: "test", host: "h", shown: 0, tries: 1, next_at: "" };
    await db
      .insertInto("shown_repositories")
      .values([
        { ...problem, participant_id: ADA, problem: "no space" },
        { ...problem, participant_id: BOB, problem: "no space" },
        { ...problem, participant_id: 0, problem: null },
        { ...problem, participant_id: ADA, challenge: "other", problem: "elsewhere" },
      ])
      .execute();
    expect(await readClosed(db, "test")).toMatchObject({
      ...{ submissions: 3, participants: 2, awaited: 1, shown: false, problems: ["no space"] },
    });
  });
});

describe("what is due", () => {
  it("is published only where the challenge is closed", async () => {
    await submit("one");
    expect(await publishDue(records, "test", NOW)).toBe(0);
    expect(await published()).toEqual([]);
    expect(locked).toEqual(["closing:test"]);
  });

  it("is what its participant chose, is finished, and has its code or will never have it", async () => {
    await submit("graded");
    await submit("failed", { state: "failed" });
    await submit("with-code");
    await addCode("with-code", { final_commit: "f", final_seq: 1 });
    await submit("code-lost");
    await addCode("code-lost", { state: "missing" });
    await submit("code-awaited");
    await addCode("code-awaited", { state: "awaited" });
    await submit("running", { state: "grading" });
    await submit("cancelled", { state: "cancelled" });
    await submit("private", { publish: 0 });
    await submit("elsewhere", { challenge: "other" });
    await close();
    expect((await published()).toSorted()).toEqual(["code-lost", "failed", "graded", "with-code"]);
    expect(await countAwaited(db, "test")).toBe(2);
    expect(await places()).toEqual([["with-code", ADA, 1]]);
    expect(await version()).toBe(1);
    expect(await publishDue(records, "test", LATER)).toBe(0);
    expect(await version()).toBe(1);
  });

  it("gets the next place of its participant, in the order of the commits", async () => {
    for (const [id, participant_id, final_seq] of [
      ["a2", ADA, 2],
      ["a1", ADA, 1],
      ["b1", BOB, 1],
    ] as const) {
      await submit(id, { participant_id });
      await addCode(id, { participant_id, final_seq, final_commit: "f" });
    }
    await close();
    await submit("a3");
    await addCode("a3", { final_seq: 3, final_commit: "f" });
    expect(await publishDue(records, "test", LATER)).toBe(1);
    expect(await places()).toEqual([
      ["a1", ADA, 1],
      ["a2", ADA, 2],
      ["a3", ADA, 3],
      ["b1", BOB, 1],
    ]);
    expect(await version()).toBe(2);
  });

  it("may be more than fits into one statement", async () => {
    const many = Array.from({ length: 501 }, (_, index) => submission(`s${index}`));
    await db.insertInto("submissions").values(many).execute();
    const codes = many.map(({ id }, index) => code(id, { final_seq: index + 1, final_commit: "f" }));
    await db.insertInto("submission_code").values(codes).execute();
    await close();
    expect(await published()).toHaveLength(501);
    expect((await places()).at(-1)).toEqual(["s500", ADA, 501]);
  });
});

describe("a choice to publish", () => {
  it("is for submissions with code or models that count", () => {
    const base = { id: "abcdefgh", challenge: "test", input: { kind: "inline", data: 1 } };
    const code = { commit: "0".repeat(40), tree: "0".repeat(40), files: 1, bytes: 1 };
    const model = { name: "m", size: 1, sha256: "0".repeat(64) };
    const ask = (more: object) => () => requirePublishable(intentSchema.parse({ ...base, ...more }));
    expect(ask({ code })).not.toThrow();
    expect(ask({ models: [model] })).not.toThrow();
    expect(ask({})).toThrow(expect.objectContaining({ code: "nothing_to_publish" }));
    for (const more of [{ function: "check" }, { dry_run: true }])
      expect(ask({ code, ...more })).toThrow("Only a submission to the leaderboard can be published.");
  });

  it("is recorded with each change", async () => {
    await submit("one", { publish: 0 });
    await submit("other", { publish: 0 });
    // Undone, because such rows are never deleted.
    const undone = records.transaction(async (trx) => {
      expect(await addPublishRequest(trx, "one", true, NOW)).toMatchObject({ id: "one", publish: 1 });
      expect(await addPublishRequest(trx, "one", false, LATER)).toMatchObject({ id: "one", publish: 0 });
      const choices = trx.selectFrom("publish_wishes").select(["submission", "publish", "at"]);
      expect(await choices.execute()).toEqual([
        { submission: "one", publish: 1, at: NOW.toISOString() },
        { submission: "one", publish: 0, at: LATER.toISOString() },
      ]);
      throw new Error("undone");
    });
    await expect(undone).rejects.toThrow("undone");
  });
});
