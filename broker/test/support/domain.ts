import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type IntentRequest, intentSchema, type Job, type Outcome, type Report } from "@crowdai/shared";
import { challengeConfigSchema } from "@crowdai/shared/challenge-folder";
import { createFolderStore, type FolderStore } from "@crowdai/shared/objects";
import type { JobQueue } from "@crowdai/shared/queue";
import { Kysely } from "kysely";
import { embeddedWebapp } from "../../src/background/webapp/embedded-webapp.ts";
import type { Catalog, ServedChallenge } from "../../src/domain/challenges/catalog.ts";
import { createGradingTimes } from "../../src/domain/graders/grading-times.ts";
import { createQueuePositions } from "../../src/domain/graders/queue-positions.ts";
import type { Caller } from "../../src/domain/participants/api-keys.ts";
import { type ApplyRegradeReport, applyReport } from "../../src/domain/submissions/apply-report.ts";
import { findFreeOrOwn, submissionWithId } from "../../src/domain/submissions/find-submission.ts";
import { registerIntent } from "../../src/domain/submissions/register-intent.ts";
import type { SubmissionServices } from "../../src/domain/submissions/services.ts";
import type { Db, Records } from "../../src/records/records.ts";
import { sqliteDialect } from "../../src/records/sqlite-dialect.ts";
import type { SubmissionRow, Tables } from "../../src/records/tables.ts";
import { SYNCED } from "./migrated-records.ts";
import { writeMigratedSqlite } from "./migrated-sqlite.ts";

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;

const caller = (kind: Caller["kind"], id: number, name: string): Caller => ({
  kind,
  id,
  name,
  keyHash: name,
});
export const ADA = caller("participant", 1, "ada");
export const BOB = caller("participant", 2, "bob");
export const ORGANIZER = caller("organizer", 1, "olga");

export type Domain = Awaited<ReturnType<typeof openDomain>>;

/**
 * The services of a broker for the functions of its domain: records and objects are real, in a temporary
 * folder; the clock and the queue are the test's.
 */
export async function openDomain() {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-domain-"));
  await writeMigratedSqlite(join(folder, "records.sqlite"));
  const db = openQuickly(join(folder, "records.sqlite"));
  const people = [ADA, BOB].map(({ id, name }) => ({ id, name, name_key: name, created_at: "" }));
  await db.insertInto("participants").values(people).execute();

  /** Calls of the services, in order. */
  const seen = {
    announced: [] as string[],
    published: [] as Job[],
    cancelled: [] as string[],
    /** Ids of submissions that were to be queued at once; "all" for everything that waits. */
    dispatched: [] as string[],
    refused: [] as string[],
    uploaded: [] as number[],
    logged: [] as Record<string, unknown>[],
    locked: [] as string[],
  };
  const challenges = new Map<string, ServedChallenge>();
  let now = Date.parse("2026-03-10T12:00:00.000Z");
  const clock = () => new Date(now);
  const entry = (fields: unknown) => void seen.logged.push(fields as Record<string, unknown>);
  const log = { debug() {}, info: entry, warn: entry, error: entry } as unknown as SubmissionServices["log"];
  const records: Records = {
    ...{ name: "in a temporary folder", dialect: "sqlite", db },
    state: async () => "",
    transaction: (work) => db.transaction().execute(work),
    lock: async (_, name) => void seen.locked.push(name),
    lockShared: async (_, name) => void seen.locked.push(`${name} shared`),
    lockSubmission: (trx, id) => submissionWithId(trx, { id }),
    close: () => db.destroy(),
  };
  const get = (id: string) => {
    const served = challenges.get(id);
    if (!served) throw new Error(`${id} is not served`);
    return served;
  };
  const catalog: Catalog = {
    get,
    all: () => challenges,
    unknown: () => new Error("unknown challenge") as never,
    folders: () => new Map(),
    refresh: async () => ({ changed: [], mistakes: [], shadowed: [] }),
  };
  /** The queue rejects while this is set. */
  const faults: { queue: Error | null } = { queue: null };
  const queue = {
    name: "a list",
    async publish(job: Job) {
      if (faults.queue) throw faults.queue;
      seen.published.push(job);
    },
    async cancel(submission: string) {
      if (faults.queue) throw faults.queue;
      seen.cancelled.push(submission);
    },
  } as JobQueue;
  const baseUrl = () => "http://broker";
  const objects: FolderStore = await createFolderStore({
    ...{ folder: join(folder, "objects"), baseUrl, secret: "a secret", now: () => now },
  });
  const services: SubmissionServices = {
    ...{ records, objects, queue, catalog, clock, log, baseUrl, webapp: embeddedWebapp(db, clock) },
    steps: {} as never,
    seedsOf: () => null,
    graders: {
      all: async () => [],
      serving: async () => [],
      servingSessions: async () => [],
      lastSeen: clock,
    },
    runsCode: () => false,
    gradingTimes: createGradingTimes(),
    queuePositions: createQueuePositions(),
    metrics: {
      refused: (type) => void seen.refused.push(type),
      uploaded: (bytes) => void seen.uploaded.push(bytes),
    },
    announce: (challenge, events) =>
      void seen.announced.push(
        ...events.map(({ submission, seq, type }) => `${challenge} ${submission} ${seq} ${type}`),
      ),
    dispatchSoon: (row) => void seen.dispatched.push(row?.id ?? "all"),
    dispatchStalled: () => false,
  };

  return {
    ...{ services, records, db, objects, seen, faults, challenges },
    now: () => now,
    /** The time in so many milliseconds, as the records store it. */
    at: (ms = 0) => new Date(now + ms).toISOString(),
    pass(ms: number) {
      now += ms;
    },
    serve(config: object = {}, bundle: ServedChallenge["bundle"] = null) {
      const parsed = challengeConfigSchema.parse({ ...BASIC, ...config });
      challenges.set(parsed.id, { config: parsed, version: "v1", data: [], bundle });
      return parsed;
    },
    async submit(more: Partial<IntentRequest> = {}, by = ADA) {
      const intent = intentSchema.parse({ ...INTENT, ...more });
      return registerIntent(services, by, intent, await findFreeOrOwn(db, by, intent.id));
    },
    /**
     * Applies a grader's report of the first delivery of the first attempt; resolves to the submission
     * afterwards.
     */
    async report(
      report: Partial<Report> & Pick<Report, "type">,
      regrade: ApplyRegradeReport = async () => false,
    ) {
      const base = { submission: INTENT.id, attempt: 1, delivery: 1, grader: "g1" };
      const rest = report.type === "finished" ? { organiser_log: "", seconds: null } : {};
      await applyReport(services, { ...base, ...rest, ...report } as Report, regrade);
      return rowOf(db, report.submission ?? INTENT.id);
    },
    row: (id = INTENT.id) => rowOf(db, id),
    attempts: (id = INTENT.id) =>
      db.selectFrom("attempts").selectAll().where("submission", "=", id).orderBy("number").execute(),
    slot: (id = INTENT.id) =>
      db
        .selectFrom("slots")
        .select(["state", "reason", "settled_at"])
        .where("submission", "=", id)
        .executeTakeFirst(),
    async events(id = INTENT.id) {
      const rows = await db
        .selectFrom("events")
        .selectAll()
        .where("submission", "=", id)
        .orderBy("seq")
        .execute();
      return rows.map(({ seq, type, data }) => ({ seq, type, data: JSON.parse(data) }));
    },
    async set(values: Partial<SubmissionRow>, id = INTENT.id) {
      if (Object.keys(values).length > 0)
        await db.updateTable("submissions").set(values).where("id", "=", id).execute();
    },
    addCode: (submission: string, holds: number) =>
      db
        .insertInto("submission_code")
        .values({
          ...{ submission, challenge: BASIC.id, participant_id: ADA.id, state: "awaited", holds },
          ...{ commit_name: "c", tree: "t", files: 1, bytes: 1 },
        })
        .execute(),
    async close() {
      await records.close();
      await objects.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * Opens SQLite records that no machine has to survive: waiting for a disk would take longer than most tests.
 */
function openQuickly(file: string): Kysely<Tables> {
  const connect = () => new DatabaseSync(file);
  const [writer, reader, snapshots] = [connect(), connect(), connect()];
  writer.exec("pragma synchronous = off; pragma foreign_keys = on; pragma temp_store = memory");
  return new Kysely({ dialect: sqliteDialect({ writer, reader, snapshots, log: SYNCED }) });
}

const BASIC = {
  id: "sums",
  title: "Sums",
  score: { order: "descending", precision: 6 },
  accepts: { json: {} },
  rounds: [{ id: "1", parallel_limit: null }],
  evaluator: { command: ["true"], timeout_seconds: 5 },
};

export const INTENT = {
  id: "submission-1",
  challenge: "sums",
  input: { kind: "inline", data: { a: 1 } },
} satisfies IntentRequest;

export const sha256 = (bytes: string) => createHash("sha256").update(bytes).digest("hex");

/** A grade of an evaluator. */
export const graded = (score: number, more: object = {}): Outcome => ({
  ...{ ok: true, score, score_secondary: null, message: null, data: null, media: null, meta: {} },
  ...{ artifacts: [], evaluator_version: "v1", ...more },
});

export const failed = (code: string, more: object = {}): Outcome =>
  ({ ok: false, code, message: `It is ${code}.`, evaluator_version: "v1", ...more }) as Outcome;

const rowOf = (db: Db, id: string) =>
  db.selectFrom("submissions").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
