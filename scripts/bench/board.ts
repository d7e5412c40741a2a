import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLeaderboard } from "../../broker/src/leaderboard/leaderboard.ts";
import { sortKeys, updateStanding } from "../../broker/src/leaderboard/standings.ts";
import type { Records } from "../../broker/src/records/records.ts";
import { openSqlite } from "../../broker/src/records/sqlite.ts";
import { challengeConfigSchema } from "../../shared/src/challenge-folder/challenge-config.ts";
import { type Figure, median, quantile } from "./figure.ts";

const ENTRIES = 100_000;
const BATCH = 500;
const SAMPLES = 300;
const TARGET_MS = 20;

const config = challengeConfigSchema.parse({
  id: "board",
  title: "Board",
  score: { precision: 6 },
  evaluator: { command: ["true"] },
});

/** A leaderboard with 100,000 participants: a new grade that moves it, and a page of it read, on SQLite. */
export async function measureBoard(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-board-"));
  const records = await openSqlite(join(folder, "records.sqlite"));
  try {
    await fill(records);
    const updates = await sample((i) => grade(records, 1 + ((i * 331) % ENTRIES), Math.random()));
    const reads = await sample((i) =>
      readLeaderboard(records.db, config, {
        round: "1",
        board: "current",
        limit: 100,
        offset: (i * 317) % ENTRIES,
        viewer: 1,
      }),
    );
    return [...figures("new grade moves the board", updates), ...figures("page of the board read", reads)];
  } finally {
    await records.close();
    rmSync(folder, { recursive: true });
  }
}

function figures(name: string, samples: number[]): Figure[] {
  const p99 = quantile(samples, 0.99);
  return [
    { name: `${name}, ${ENTRIES} entries, median`, value: median(samples), unit: "ms" },
    { name: `${name}, p99`, value: p99, unit: "ms", target: `≤ ${TARGET_MS} ms`, met: p99 <= TARGET_MS },
  ];
}

async function sample(work: (i: number) => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    const began = performance.now();
    await work(i);
    took.push(performance.now() - began);
  }
  return took;
}

async function fill({ transaction }: Records): Promise<void> {
  const at = new Date().toISOString();
  await transaction(async (trx) => {
    for (let from = 1; from <= ENTRIES; from += BATCH) {
      const ids = Array.from({ length: BATCH }, (_, i) => from + i);
      await trx
        .insertInto("participants")
        .values(ids.map((id) => ({ id, name: `p${id}`, name_key: `p${id}`, created_at: at })))
        .execute();
      const graded = ids.map((id) => ({ id, keys: sortKeys(config, (id * 0.618) % 1, null) }));
      await trx
        .insertInto("submissions")
        .values(graded.map(({ id, keys }) => submission(id, `s${id}`, at, keys)))
        .execute();
      await trx
        .insertInto("standings")
        .values(
          graded.map(({ id, keys }) => ({
            challenge: config.id,
            round: "1",
            board: "current" as const,
            participant_id: id,
            submission: `s${id}`,
            submission_number: id,
            submitted_at: at,
            ...keys,
          })),
        )
        .execute();
    }
  });
}

function submission(participant: number, id: string, at: string, keys: ReturnType<typeof sortKeys>) {
  return {
    id,
    challenge: config.id,
    participant_id: participant,
    round: "1",
    function: "submit",
    state: "graded" as const,
    dry_run: 0,
    post_challenge: 0,
    input_kind: "json" as const,
    input_size: 1,
    input_sha256: "",
    created_at: at,
    attempt: 1,
    starts: 1,
    seq: 4,
    ...keys,
  };
}

let made = 0;
async function grade({ transaction }: Records, participant: number, score: number): Promise<void> {
  const at = new Date().toISOString();
  await transaction(async (trx) => {
    await trx
      .insertInto("submissions")
      .values(submission(participant, `n${made++}`, at, sortKeys(config, score, null)))
      .execute();
    await updateStanding(trx, {
      challenge: config.id,
      round: "1",
      board: "current",
      participantId: participant,
    });
  });
}
