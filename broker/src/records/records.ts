import { CrowdaiError } from "@crowdai/shared";
import { type Kysely, sql, type Transaction } from "kysely";
import { Migrator } from "kysely/migration";
import * as first from "./migrations/001-first.ts";
import * as code from "./migrations/002-code.ts";
import * as publishing from "./migrations/003-publishing.ts";
import * as mediaModels from "./migrations/004-media-models.ts";
import * as webapp from "./migrations/005-webapp.ts";
import * as boards from "./migrations/006-boards.ts";
import * as pageSessions from "./migrations/007-page-sessions.ts";
import * as lean from "./migrations/008-lean.ts";
import * as keptKeys from "./migrations/009-kept-keys.ts";
import * as runs from "./migrations/010-runs.ts";
import * as environments from "./migrations/011-environments.ts";
import * as ciTrust from "./migrations/012-ci-trust.ts";
import * as sealedTimes from "./migrations/013-sealed-times.ts";
import * as deviceLogins from "./migrations/014-device-logins.ts";
import * as finalScores from "./migrations/015-final-scores.ts";
import * as people from "./migrations/016-people.ts";
import * as webhooks from "./migrations/018-webhooks.ts";
import * as profiles from "./migrations/019-profiles.ts";
import * as endedUploads from "./migrations/020-ended-uploads.ts";
import type { SubmissionRow, Tables } from "./tables.ts";

export type Db = Kysely<Tables> | Transaction<Tables>;

/**
 * The records: the source of truth about participants, submissions and grades. What a resolved `transaction`
 * wrote survives a crash of the process and of the machine.
 */
export interface Records {
  /** For the start message, without secrets. */
  readonly name: string;
  readonly dialect: "sqlite" | "postgres";
  readonly db: Kysely<Tables>;
  /**
   * Returns a text that was never returned before a change to the records, whichever process made it. Cheap.
   */
  state(): Promise<string>;
  transaction<T>(work: (trx: Transaction<Tables>) => Promise<T>): Promise<T>;
  /**
   * Locks a name until the transaction ends; other transactions that lock the same name wait. (SQLite allows
   * one writer at a time anyway.)
   */
  lock(trx: Transaction<Tables>, name: string): Promise<void>;
  /** Locks a name in shared mode: only `lock` waits for its holders, and they for it. */
  lockShared(trx: Transaction<Tables>, name: string): Promise<void>;
  /** Returns the submission, locked until the transaction ends. */
  lockSubmission(trx: Transaction<Tables>, id: string): Promise<SubmissionRow | undefined>;
  /**
   * Resolves with the reason when no transaction can succeed any more before the records are opened again.
   * Absent where that never happens.
   */
  readonly failed?: Promise<CrowdaiError>;
  close(): Promise<void>;
}

/**
 * Runs statements that all see the records as of one moment: that of the transaction that it is called in, if
 * any.
 */
export const readTogether = <T>(db: Db, work: (trx: Transaction<Tables>) => Promise<T>): Promise<T> =>
  db.isTransaction
    ? work(db as Transaction<Tables>)
    : db.transaction().setIsolationLevel("repeatable read").setAccessMode("read only").execute(work);

/**
 * Migrates the tables to the current version; safe when several programs do it at once. Throws usage when
 * they are newer than this program.
 */
export async function migrate(db: Kysely<Tables>, dialect: Records["dialect"]): Promise<void> {
  const steps = migrator(db, dialect);
  const { error } = await steps.migrateToLatest();
  if (error) throw (await isNewer(db, steps)) ? newer(error) : error;
}

async function isNewer(db: Kysely<Tables>, steps: Migrator): Promise<boolean> {
  const known = new Set((await steps.getMigrations()).map(({ name }) => name));
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`
    .execute(db)
    .catch(() => ({ rows: [] }));
  return rows.some(({ name }) => !known.has(name));
}

const newer = (cause: unknown) =>
  new CrowdaiError("usage", "The records were written by a newer version of the broker.", {
    next: "Start that version, or restore a backup made before it ran.",
    cause,
  });

/** Returns the names of the migrations that this program knows, in their order. */
export const migrationNames = (): string[] => Object.keys(migrationsOf("sqlite"));

export function migrator(db: Kysely<Tables>, dialect: Records["dialect"]): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrationsOf(dialect) } });
}

function migrationsOf(dialect: Records["dialect"]) {
  return {
    "001-first": { up: (at: Kysely<unknown>) => first.up(at, dialect) },
    "002-code": code,
    "003-publishing": { up: (at: Kysely<unknown>) => publishing.up(at, dialect) },
    "004-media-models": { up: mediaModels.up },
    "005-webapp": { up: webapp.up },
    "006-boards": boards,
    "007-page-sessions": pageSessions,
    "008-lean": { up: (at: Kysely<unknown>) => lean.up(at, dialect) },
    "009-kept-keys": keptKeys,
    "010-runs": runs,
    "011-environments": environments,
    "012-ci-trust": { up: (at: Kysely<unknown>) => ciTrust.up(at, dialect) },
    "013-sealed-times": sealedTimes,
    "014-device-logins": deviceLogins,
    "015-final-scores": { up: (at: Kysely<unknown>) => finalScores.up(at, dialect) },
    "016-people": { up: (at: Kysely<unknown>) => people.up(at, dialect) },
    "018-webhooks": { up: (at: Kysely<unknown>) => webhooks.up(at, dialect) },
    "019-profiles": { up: (at: Kysely<unknown>) => profiles.up(at, dialect) },
    "020-ended-uploads": endedUploads,
  };
}
