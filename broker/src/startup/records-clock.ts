import { sql } from "kysely";
import type { Logger } from "pino";
import type { Clock } from "../base/clock.ts";
import type { Records } from "../records/records.ts";

/** Smaller differences are left alone: they change no deadline, and a measurement is no more exact. */
const TOLERANCE_MS = 1000;

export interface RecordsClock {
  clock: Clock;
  /** Compares the machine's clock with the records' again. A server that does not answer changes nothing. */
  measure(): Promise<void>;
}

/**
 * Creates the clock of a broker. Brokers with one PostgreSQL server use its clock: deadlines, rounds and
 * expiry times that one broker writes are read by others, and the clock of a machine may be wrong. SQLite is
 * on the broker's own machine.
 */
export async function createRecordsClock(
  { db, dialect }: Pick<Records, "db" | "dialect">,
  log: Pick<Logger, "warn" | "info">,
  now: () => number = Date.now,
): Promise<RecordsClock> {
  let offset = 0;

  async function measure(): Promise<void> {
    if (dialect === "sqlite") return;
    const before = now();
    const found = await sql<{ ms: number }>`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`
      .execute(db)
      .catch(() => null);
    if (!found) return;
    const tripMs = now() - before;
    const ahead = before + tripMs / 2 - found.rows[0]!.ms;
    const unsure = TOLERANCE_MS + tripMs / 2;
    if (Math.abs(ahead + offset) <= unsure) return;
    offset = Math.abs(ahead) <= unsure ? 0 : -ahead;
    if (offset === 0) return log.info({ event: "clock_agrees" }, "clock agrees with the database's again");
    const seconds = Math.round(ahead / 1000);
    log.warn(
      { event: "clock_differs", seconds_ahead: seconds },
      "clock differs from the database's, using the database's",
    );
  }

  await measure();
  return { clock: () => new Date(now() + offset), measure };
}
