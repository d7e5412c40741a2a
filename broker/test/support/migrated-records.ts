import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { onTestFinished } from "vitest";
import { migrator } from "../../src/records/records.ts";
import { sqliteDialect } from "../../src/records/sqlite-dialect.ts";
import type { Tables } from "../../src/records/tables.ts";

/** The log of connections that write to the disk in place. */
export const SYNCED = { grown() {}, settle: () => null, close() {} };

/**
 * Opens SQLite records as they were after a migration, until the test ends; `writer` accepts statements of
 * that version.
 */
export async function recordsMigratedTo(name: string) {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-migrated-"));
  const open = () => {
    const database = new DatabaseSync(join(folder, "records.sqlite"));
    database.exec("pragma foreign_keys = on");
    return database;
  };
  const [writer, reader, snapshots] = [open(), open(), open()];
  const db = new Kysely<Tables>({ dialect: sqliteDialect({ writer, reader, snapshots, log: SYNCED }) });
  onTestFinished(async () => {
    await db.destroy();
    rmSync(folder, { recursive: true });
  });
  const migrations = migrator(db, "sqlite");
  await migrations.migrateTo(name);
  return { db, writer, migrations };
}
