import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Records } from "../../records/records.ts";
import { openSqlite } from "../../records/sqlite.ts";
import { createQueuePositions } from "./queue-positions.ts";

const LENGTH = 300;
let folder: string;
let records: Records;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-lines-"));
  records = await openSqlite(join(folder, "records.sqlite"));
  await records.db
    .insertInto("participants")
    .values({ name: "ada", name_key: "ada", created_at: "" })
    .execute();
  for (const challenge of ["iris", "other"])
    await records.db
      .insertInto("submissions")
      .values(Array.from({ length: LENGTH }, (_, index) => submission(challenge, index)))
      .execute();
});
afterEach(async () => {
  await records.close();
  rmSync(folder, { recursive: true });
});

const submission = (challenge: string, index: number) => ({
  id: `${challenge}-${index}`,
  challenge,
  participant_id: 1,
  round: "main",
  function: "submit",
  state: "submitted" as const,
  message: null,
  dry_run: 0 as const,
  post_challenge: 0 as const,
  input_kind: "json" as const,
  input_name: null,
  input_size: 2,
  input_sha256: "",
  input_data: "{}",
  input_key: null,
  created_at: "",
  accepted_at: "",
  deadline_at: "",
  attempt: 1,
  starts: 0,
  seq: 2,
  model_count: 0,
});
const leave = (count: number) =>
  records.db
    .updateTable("submissions")
    .set({ state: "graded" })
    .where("challenge", "=", "iris")
    .where("number", "<=", count)
    .execute();

it("a position in a long queue is exact, except for submissions that left it a moment ago", async () => {
  let now = 1000;
  const lines = createQueuePositions(() => now);
  const ahead = (index: number) => lines.ahead(records.db, "iris", index + 1);
  for (const index of [0, 50, 200, 201, 299, 150]) expect(await ahead(index)).toBe(index);
  expect(await lines.ahead(records.db, "other", LENGTH + 8)).toBe(7);
  await leave(60);
  now += 50;
  expect(await ahead(299)).toBeOneOf([299, 239]);
  now += 100;
  expect(await ahead(299)).toBe(239);
  expect(await ahead(70)).toBe(10);
});
