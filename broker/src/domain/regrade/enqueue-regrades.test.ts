import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Job } from "@crowdai/shared";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Records } from "../../records/records.ts";
import { openSqlite } from "../../records/sqlite.ts";
import type { RegradeItemRow } from "../../records/tables.ts";
import type { Catalog } from "../challenges/catalog.ts";
import { countRebuild } from "../submissions/queue-rebuilds.ts";
import { enqueueRegrades } from "./enqueue-regrades.ts";
import { startRegrade } from "./start-regrade.ts";
import { republishRegrades } from "./sweep-regrades.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
let folder: string;
let records: Records;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-regrades-"));
  records = await openSqlite(join(folder, "records.sqlite"));
  const { db } = records;
  await db.insertInto("participants").values({ name: "ada", name_key: "ada", created_at: "" }).execute();
  await db.insertInto("submissions").values(["one", "two"].map(graded)).execute();
  await startRegrade(records, "test", NOW);
});
afterEach(async () => {
  await records.close();
  rmSync(folder, { recursive: true });
});

const graded = (id: string) => ({
  ...{ id, challenge: "test", participant_id: 1, round: "1", function: "submit", state: "graded" as const },
  ...{ message: null, dry_run: 0 as const, post_challenge: 0 as const, input_kind: "json" as const },
  ...{ input_name: null, input_size: 2, input_sha256: "", input_data: "{}", input_key: null },
  ...{ created_at: "", accepted_at: "", deadline_at: null, attempt: 1, starts: 1, seq: 4, model_count: 0 },
});
const config = { rounds: [{ id: "1" }], code: { to_graders: false } };
const catalog = {
  all: () => new Map([["test", { config, version: "v1", bundle: null }]]),
} as unknown as Catalog;

/** Enqueues, and calls `meanwhile` while the queue takes a job. Returns the submissions of the jobs. */
async function enqueue(meanwhile: (job: Job) => Promise<unknown> = async () => {}): Promise<string[]> {
  const taken: string[] = [];
  const publish = async (job: Job) => {
    taken.push(job.submission);
    await meanwhile(job);
  };
  await enqueueRegrades({ records, catalog, clock: () => NOW, queue: { publish }, seedsOf: () => null });
  return taken;
}
const set = ({ submission }: Pick<Job, "submission">, values: Partial<RegradeItemRow>) =>
  records.db.updateTable("regrade_items").set(values).where("submission", "=", submission).execute();
const states = async () =>
  (await records.db.selectFrom("regrade_items").select("state").orderBy("number").execute()).map(
    ({ state }) => state,
  );

it("queues each waiting attempt once", async () => {
  expect(await enqueue()).toEqual(["one", "two"]);
  expect(await states()).toEqual(["queued", "queued"]);
  expect(await enqueue()).toEqual([]);
});

it("leaves an item in grading that a grader started before the queue answered", async () => {
  await enqueue((job) => set(job, { state: "grading" }));
  expect(await states()).toEqual(["grading", "grading"]);
  expect(await enqueue()).toEqual([]);
});

it("leaves a newer attempt waiting that replaced the queued one meanwhile", async () => {
  await enqueue((job) => set(job, { attempt: job.attempt + 1 }));
  expect(await states()).toEqual(["waiting", "waiting"]);
});

it("leaves what the queue took and lost waiting, when it was filled again before the mark", async () => {
  const rebuild = () => countRebuild(records, (trx) => republishRegrades(trx));
  expect(await enqueue(rebuild)).toEqual(["one"]);
  expect(await states()).toEqual(["waiting", "waiting"]);
  expect(await enqueue()).toEqual(["one", "two"]);
});
