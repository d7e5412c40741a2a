import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { until } from "../../test/support/until.ts";
import { createCheckpoints } from "./checkpoints.ts";
import { openSqlite } from "./sqlite.ts";

const COMMITS = 64;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-checkpoints-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it("what was committed is copied to the database while it is open, and the log is gone when it is closed", async () => {
  const file = join(folder, "records.sqlite");
  const records = await openSqlite(file);
  const before = statSync(file).size;
  const value = "x".repeat(10_000);
  for (let at = 0; at < COMMITS; at++)
    await records.db
      .insertInto("settings")
      .values({ name: `note-${at}`, value })
      .execute();
  await until(async () => statSync(file).size > before + (COMMITS / 2) * value.length);
  await records.close();
  expect(statSync(`${file}-wal`, { throwIfNoEntry: false })).toBeUndefined();
  const database = new DatabaseSync(file);
  onTestFinished(() => database.close());
  expect(database.prepare("select count(*) as n from settings where value = ?").get(value)).toEqual({
    n: COMMITS,
  });
});

it("a database that cannot be opened again is left to SQLite's own copies", async () => {
  const checkpoints = createCheckpoints(join(folder, "missing", "records.sqlite"));
  for (let at = 0; at < 2 * COMMITS; at++) checkpoints.committed();
  await checkpoints.close();
});
