import type { Job } from "@crowdai/shared";
import { type ChallengeConfig, roundNumber } from "@crowdai/shared/challenge-folder";
import type { JobQueue } from "@crowdai/shared/queue";
import type { Logger } from "pino";
import type { Catalogue } from "../challenges/catalogue.ts";
import { type Clock, iso } from "../clock.ts";
import type { Records } from "../records/records.ts";
import type { SubmissionRow } from "../records/tables.ts";

const BATCH = 500;
const RETRY_MS = 1000;

export interface Dispatcher {
  /** Puts every attempt in line that is not yet. Returns at once; asking again while it works is cheap. */
  soon(): void;
  /** Whether the queue refused the latest try. */
  stalled(): boolean;
  stop(): Promise<void>;
}

/**
 * Moves attempts from the records to the queue. An attempt is marked when the queue has it; one that goes out
 * twice, because the mark was lost in a crash, is the same job to the queue and one grade in the records.
 */
export function createDispatcher(options: {
  records: Records;
  queue: JobQueue;
  catalogue: Catalogue;
  clock: Clock;
  log: Logger;
}): Dispatcher {
  const { records, queue, catalogue, clock, log } = options;
  let working: Promise<void> | null = null;
  let again = false;
  let stopped = false;
  let refused = false;
  let retry: NodeJS.Timeout | undefined;

  async function run(): Promise<void> {
    do {
      again = false;
      try {
        while ((await dispatchBatch()) === BATCH && !stopped);
        refused = false;
      } catch (error) {
        refused = true;
        log.warn({ err: error }, "the queue took no jobs; trying again");
        retry = setTimeout(soon, RETRY_MS);
      }
    } while (again && !stopped);
  }

  async function dispatchBatch(): Promise<number> {
    const rows = await records.db
      .selectFrom("attempts")
      .innerJoin("submissions", (join) =>
        join
          .onRef("submissions.id", "=", "attempts.submission")
          .onRef("submissions.attempt", "=", "attempts.number"),
      )
      .selectAll("submissions")
      .where("attempts.state", "=", "waiting")
      .where("attempts.published_at", "is", null)
      .where("submissions.state", "=", "submitted")
      .where("submissions.challenge", "in", [...catalogue.all().keys(), ""])
      .orderBy("submissions.number")
      .limit(BATCH)
      .execute();
    const published: SubmissionRow[] = [];
    try {
      for (const row of rows) {
        await queue.publish(jobOf(row, catalogue));
        published.push(row);
      }
    } finally {
      await mark(published);
    }
    return published.length;
  }

  async function mark(rows: SubmissionRow[]): Promise<void> {
    if (rows.length === 0) return;
    await records.db
      .updateTable("attempts")
      .set({ published_at: iso(clock()) })
      .where((eb) => eb.or(rows.map((row) => eb.and({ submission: row.id, number: row.attempt }))))
      .execute();
  }

  function soon(): void {
    if (stopped) return;
    if (working) again = true;
    else
      working = run().finally(() => {
        working = null;
        if (again) soon();
      });
  }

  return {
    soon,
    stalled: () => refused,
    async stop() {
      stopped = true;
      clearTimeout(retry);
      await working;
    },
  };
}

/** The job of a submission's current attempt. */
function jobOf(row: SubmissionRow, catalogue: Catalogue): Job {
  return {
    submission: row.id,
    attempt: row.attempt,
    challenge: row.challenge,
    function: row.function,
    round: numberOf(catalogue.get(row.challenge).config, row.round),
    dry_run: row.dry_run === 1,
    input:
      row.input_data !== null
        ? { kind: "inline", data: JSON.parse(row.input_data) }
        : {
            kind: row.input_kind,
            key: row.input_key as string,
            name: row.input_name,
            size: row.input_size,
            sha256: row.input_sha256,
          },
    code: null,
    version: null,
  };
}

/** A round that was taken out of challenge.json while its submissions wait must not hold up the others'. */
function numberOf(config: ChallengeConfig, round: string): number {
  return config.rounds.some(({ id }) => id === round) ? roundNumber(config, round) : config.rounds.length + 1;
}
