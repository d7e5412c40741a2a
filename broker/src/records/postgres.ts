import { setTimeout as sleep } from "node:timers/promises";
import { CrowdaiError } from "@crowdai/shared";
import { Kysely, sql } from "kysely";
import pg from "pg";
import { SUBMISSION_COLUMNS } from "./columns.ts";
import { ErrorMappingPostgresDialect } from "./postgres-dialect.ts";
import { migrate, type Records } from "./records.ts";
import { lookup, statement } from "./statement.ts";
import { StatementNames } from "./statement-names.ts";
import type { Tables } from "./tables.ts";

const INT8 = 20;
/** Errors after which the same transaction may succeed when retried: serialization failure and deadlock. */
const TRY_AGAIN = new Set(["40001", "40P01"]);
const MAX_TRIES = 5;
/** A lock was not to be had in time, or only after a deadlock. */
const LOCKED = new Set(["55P03", "40P01"]);
/** Shorter than the second after which PostgreSQL looks for deadlocks. */
const LOCK_TIMEOUT = "500ms";
const MIGRATION_PAUSE_MS = 200;
const MIGRATION_TIMEOUT_MS = 60_000;

const oneSubmissionLocked = lookup((trx, { id }: { id: string }) =>
  trx.selectFrom("submissions").select(SUBMISSION_COLUMNS).where("id", "=", id).forUpdate(),
);

const locked = statement((trx, { name }: { name: string }) =>
  trx.selectNoFrom(sql`pg_advisory_xact_lock(hashtextextended(${name}, 0))`.as("locked")),
);

const lockedShared = statement((trx, { name }: { name: string }) =>
  trx.selectNoFrom(sql`pg_advisory_xact_lock_shared(hashtextextended(${name}, 0))`.as("locked")),
);

/**
 * Which transactions can be seen: two equal snapshots see the same. A server that took over from another one
 * may use the numbers of transactions again that were lost, but did not start at the same moment.
 */
const visible = statement((db, _: object) =>
  db.selectNoFrom(
    sql<string>`pg_current_snapshot()::text || ' ' || extract(epoch from pg_postmaster_start_time())`.as(
      "state",
    ),
  ),
);

async function configure(client: pg.ClientBase): Promise<void> {
  // A broker that freezes in a transaction must not keep others waiting for its locks.
  await client.query("set idle_in_transaction_session_timeout = '5s'");
  // Compiling a plan costs more than any of these statements runs. A server without the setting compiles
  // nothing.
  await client.query("set jit = off").catch(() => {});
}

/**
 * Migrates while brokers of an older release use the tables: waits for each table only briefly, because they
 * wait behind it meanwhile, and because PostgreSQL ends one of two transactions that wait for one another for
 * a second, which could be theirs.
 */
async function migrateBesideOthers(db: Kysely<Tables>): Promise<void> {
  for (const end = Date.now() + MIGRATION_TIMEOUT_MS; ; await sleep(MIGRATION_PAUSE_MS))
    try {
      return await db.connection().execute(async (one) => {
        await sql`set lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(one);
        await migrate(one, "postgres");
        await sql`reset lock_timeout`.execute(one);
      });
    } catch (error) {
      if (!LOCKED.has((error as { code?: string }).code ?? "")) throw error;
      if (Date.now() > end)
        throw new CrowdaiError(
          "records_unreachable",
          "Another transaction keeps the tables of the records locked.",
          {
            next: "Wait until it has ended, for example a backup with pg_dump, and start the broker again.",
            cause: error,
          },
        );
    }
}

/** Explains a failed start. Only the operator sees it, so it may contain the server's address and message. */
function explainStart(error: unknown, address: string): unknown {
  if (LOCKED.has((error as { cause?: { code?: string } }).cause?.code ?? "")) return error;
  if (error instanceof CrowdaiError && error.code === "records_unreachable")
    return new CrowdaiError("records_unreachable", `PostgreSQL at ${address} cannot be reached.`, {
      next: "Start it, or correct DATABASE_URL.",
      cause: error,
    });
  const { code = "", message = "" } = error as { code?: string; message?: string };
  // Wrong password, user or database: classes of appendix A of the PostgreSQL documentation.
  if (/^(28|3D)/.test(code))
    return new CrowdaiError("usage", `PostgreSQL at ${address} refused the connection: ${message}.`, {
      next: "Correct the user, the password and the database in DATABASE_URL.",
      cause: error,
    });
  return error;
}

/** Connects to PostgreSQL and migrates. Several brokers may share one database. */
export async function openPostgres(url: string): Promise<Records> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: 10_000,
    onConnect: configure,
    // Counts and sizes fit a double; pg would return 64-bit integers as text.
    types: {
      getTypeParser: (oid: number, format?: "text" | "binary") =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format as "text"),
    },
  });
  // An idle connection that breaks is replaced at its next use; without a listener it would end the process.
  pool.on("error", () => {});
  // A connection that breaks between two statements of a transaction rejects the next statement.
  pool.on("connect", (client) => client.on("error", () => {}));
  const names = new StatementNames();
  pool.on("connect", (client) => names.useIn(client));
  const db = new Kysely<Tables>({ dialect: new ErrorMappingPostgresDialect({ pool }, names) });
  // As the driver reads it: parameters of the URL and PGHOST may name another server than the URL's host.
  const { host, port, database } = new pg.Client({ connectionString: url });
  try {
    await migrateBesideOthers(db);
  } catch (error) {
    await db.destroy();
    throw explainStart(error, `${host}:${port}`);
  }
  return {
    name: `PostgreSQL (${host}/${database})`,
    dialect: "postgres",
    db,
    state: async () => (await visible(db, {}))[0]!.state,
    async transaction(work) {
      for (let tries = 1; ; tries++)
        try {
          return await db.transaction().execute(work);
        } catch (error) {
          if (tries === MAX_TRIES || !TRY_AGAIN.has((error as { code?: string }).code ?? "")) throw error;
        }
    },
    async lock(trx, name) {
      await locked(trx, { name });
    },
    async lockShared(trx, name) {
      await lockedShared(trx, { name });
    },
    lockSubmission: (trx, id) => oneSubmissionLocked(trx, { id }),
    close: () => db.destroy(),
  };
}
