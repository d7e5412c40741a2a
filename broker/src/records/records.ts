import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely, type Transaction } from "kysely";
import { Migrator } from "kysely/migration";
import * as first from "./migrations/001-first.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import type { Tables } from "./tables.ts";

export type Db = Kysely<Tables> | Transaction<Tables>;

/**
 * The records: the truth about participants, submissions and grades. What a resolved `transaction` wrote
 * survives the process and the machine going down.
 */
export interface Records {
  readonly name: string;
  readonly dialect: "sqlite" | "postgres";
  readonly db: Kysely<Tables>;
  /** Runs `work` alone: SQLite lets one writer in at a time. */
  transaction<T>(work: (trx: Transaction<Tables>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Opens (and creates, and migrates) the SQLite file. Other processes may have it open at the same time. */
export async function openSqlite(file: string): Promise<Records> {
  if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(file);
  // FULL: in write-ahead mode the default may forget the last commits when the power goes.
  database.exec(`
    pragma busy_timeout = 10000;
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma foreign_keys = on;
  `);
  const db = new Kysely<Tables>({ dialect: sqliteDialect(database) });
  await migrate(db, "sqlite");
  return {
    name: `SQLite (${file})`,
    dialect: "sqlite",
    db,
    transaction: (work) => db.transaction().execute(work),
    close: () => db.destroy(),
  };
}

async function migrate(db: Kysely<Tables>, dialect: Records["dialect"]): Promise<void> {
  const migrations = { "001-first": { up: (at: Kysely<unknown>) => first.up(at, dialect) } };
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
