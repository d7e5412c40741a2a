import { chmodSync, closeSync, existsSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { createPrivateFolder } from "../base/private-file.ts";
import { createCheckpoints, IN_PLACE_AFTER_PAGES } from "./checkpoints.ts";
import { SUBMISSION_COLUMNS } from "./columns.ts";
import { openDatabaseLog } from "./log-sync.ts";
import { migrate, type Records } from "./records.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import { lookup } from "./statement.ts";
import type { Tables } from "./tables.ts";
import { databaseError, unwrittenDatabase } from "./unusable-database.ts";

const oneSubmission = lookup((trx, { id }: { id: string }) =>
  trx.selectFrom("submissions").select(SUBMISSION_COLUMNS).where("id", "=", id),
);

/**
 * Opens the SQLite file, which is created and migrated when needed. Other processes may have it open at the
 * same time.
 */
export async function openSqlite(file: string): Promise<Records> {
  try {
    return await open(file);
  } catch (error) {
    throw databaseError(error, file);
  }
}

async function open(file: string): Promise<Records> {
  createPrivateFolder(dirname(file));
  // The folder may exist already and be open to others. SQLite gives new journals the mode of the file; after
  // a crash, an earlier version may have left some that others can read.
  closeSync(openSync(file, "a", 0o600));
  for (const path of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(path)) chmodSync(path, 0o600);
  const writer = new DatabaseSync(file);
  // NORMAL: commits are brought to the disk by the log, which lets the broker work meanwhile; FULL would wait
  // in place. Rollback data of savepoints stays in memory: otherwise each transaction creates a file for it.
  writer.exec(`
    pragma busy_timeout = 10000;
    pragma journal_mode = wal;
    pragma synchronous = normal;
    pragma foreign_keys = on;
    pragma temp_store = memory;
    pragma wal_autocheckpoint = ${IN_PLACE_AFTER_PAGES};
  `);
  const [reader, snapshots] = [new DatabaseSync(file), new DatabaseSync(file)];
  for (const one of [reader, snapshots]) one.exec("pragma busy_timeout = 10000; pragma query_only = on;");
  const log = openDatabaseLog(file);
  const checkpoints = createCheckpoints(file);
  const grown = () => {
    log.grown();
    checkpoints.committed();
  };
  const db = new Kysely<Tables>({
    dialect: sqliteDialect({ writer, reader, snapshots, log: { ...log, grown } }),
  });
  await migrate(db, "sqlite").catch(async (error) => {
    await db.destroy();
    throw error;
  });
  // Differs after each commit of any other connection, and this one never writes.
  const version = reader.prepare("pragma data_version");
  return {
    name: `SQLite (${file})`,
    dialect: "sqlite",
    db,
    state: async () => String(version.get()!.data_version),
    transaction: (work) => db.transaction().execute(work),
    async lock() {},
    async lockShared() {},
    lockSubmission: (trx, id) => oneSubmission(trx, { id }),
    failed: log.failed.then((error) => unwrittenDatabase(error, file)),
    async close() {
      // The last connection that is closed copies the rest and removes the log.
      await checkpoints.close();
      await db.destroy();
    },
  };
}
