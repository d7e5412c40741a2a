import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import type { Catalog } from "../../broker/src/domain/challenges/catalog.ts";
import { readLeaderboard } from "../../broker/src/domain/leaderboard/leaderboard.ts";
import { advanceWindows } from "../../broker/src/domain/leaderboard/ranking-window.ts";
import { rebuildStandings } from "../../broker/src/domain/leaderboard/rebuild-standings.ts";
import { writeGrade } from "../../broker/src/domain/submissions/write-outcome.ts";
import { openPostgres } from "../../broker/src/records/postgres.ts";
import type { Records } from "../../broker/src/records/records.ts";
import { openSqlite } from "../../broker/src/records/sqlite.ts";
import type { SubmissionRow } from "../../broker/src/records/tables.ts";
import { challengeConfigSchema } from "../../shared/src/challenge-folder/challenge-config.ts";
import { startPostgres } from "../services/postgres.ts";
import { type Figure, median, quantile } from "./figure.ts";

const HOUR = 3_600_000;
const TARGET_MS = 20;
const PAGE = 100;

export interface BoardSize {
  participants: number;
  submissions: number;
  samples: number;
}
const WHOLE: BoardSize = { participants: 100_000, submissions: 1_000_000, samples: 300 };

export const config = challengeConfigSchema.parse({
  id: "board",
  title: "Board",
  score: { precision: 6 },
  rounds: [{ id: "1", ranking_window_hours: 96 }],
  evaluator: { command: ["true"] },
});
const catalog = { all: () => new Map([["board", { config }]]) } as unknown as Catalog;

/**
 * A leaderboard with 100,000 participants and 1,000,000 submissions over ten days, on both databases: a new
 * grade that moves it, written as the broker writes it and synced, and pages of it with their movement.
 */
export async function measureBoard(size: BoardSize = WHOLE): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-board-"));
  try {
    const sqlite = await openSqlite(join(folder, "records.sqlite"));
    const figures = await measureOn("SQLite", sqlite, size).finally(() => sqlite.close());
    const service = await startPostgres({
      folder: join(folder, "postgres"),
      args: ["-c", "fsync=on", "-c", "shared_buffers=512MB"],
    });
    try {
      const postgres = await openPostgres(service.url);
      figures.push(...(await measureOn("PostgreSQL", postgres, size).finally(() => postgres.close())));
    } finally {
      await service.stop();
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measureOn(name: string, records: Records, size: BoardSize): Promise<Figure[]> {
  await fill(records, size);
  const { participants, samples } = size;
  const people = Array.from({ length: samples }, (_, i) => 1 + ((i * 331) % participants));
  const waiting: SubmissionRow[] = [];
  for (const participant of people) waiting.push(await arrive(records, participant));
  const grades = await timed(waiting, (row, i) =>
    records.transaction((trx) => writeGrade(trx, config, row, outcome((i * 0.618) % 1), new Date())),
  );
  const page = (offset: (i: number) => number) =>
    timed(people, (viewer, i) =>
      readLeaderboard(records.db, config, {
        round: "1",
        board: "current",
        limit: PAGE,
        offset: offset(i),
        viewer,
        now: new Date(),
      }),
    );
  return [
    ...figures(`${name}: new grade moves the board`, grades),
    ...figures(`${name}: first page of the board`, await page(() => 0)),
    ...figures(`${name}: a page in the middle`, await page((i) => Math.floor(participants / 2) + i)),
    ...figures(`${name}: its last page`, await page(() => participants - PAGE)),
  ];
}

function figures(name: string, samples: number[]): Figure[] {
  const p99 = quantile(samples, 0.99);
  return [
    { name: `${name}, median`, value: median(samples), unit: "ms" },
    { name: `${name}, p99`, value: p99, unit: "ms", target: `≤ ${TARGET_MS} ms`, met: p99 <= TARGET_MS },
  ];
}

async function timed<T>(
  items: readonly T[],
  work: (item: T, i: number) => Promise<unknown>,
): Promise<number[]> {
  const took: number[] = [];
  for (const [i, item] of items.entries()) {
    const began = performance.now();
    await work(item, i);
    took.push(performance.now() - began);
  }
  return took;
}

/** Made inside the database: a row a submission, spread over ten days and over the participants. */
export async function fill(
  records: Records,
  { participants, submissions }: Omit<BoardSize, "samples">,
): Promise<void> {
  const now = Date.now();
  const isSqlite = records.dialect === "sqlite";
  const count = (to: number) =>
    isSqlite
      ? sql`(with recursive n(i) as (values (1) union all select i + 1 from n where i < ${to}) select i from n) as numbers`
      : sql`generate_series(1, cast(${to} as integer)) as numbers(i)`;
  const seconds = sql`(240 * 3600 - 1) - cast(i as double precision) / ${submissions} * 240 * 3600`;
  const at = isSqlite
    ? sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${now / 1000} - (${seconds}), 'unixepoch')`
    : sql`to_char(to_timestamp(${now / 1000} - (${seconds})) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
  await sql`insert into participants (name, name_key, created_at)
    select 'p' || i, 'p' || i, ${new Date(now).toISOString()} from ${count(participants)}`.execute(
    records.db,
  );
  const score = sql`((cast(i as bigint) * 7919) % 1000003) / 1000003.0`;
  await sql`insert into submissions (id, challenge, participant_id, round, function, state, dry_run, post_challenge,
      input_kind, input_size, input_sha256, created_at, attempt, starts, seq, score, sort_primary, sort_secondary)
    select 's' || i, 'board', 1 + (cast(i as bigint) * 613) % ${participants}, '1', 'submit', 'graded', 0, 0,
      'json', 1, '', ${at}, 1, 1, 4, ${score}, -round(${isSqlite ? score : sql`cast(${score} as numeric)`}, 6), 0
    from ${count(submissions)}`.execute(records.db);
  await records.transaction(async (trx) => {
    // The window has moved on to where it is; only what comes now moves it further.
    await sql`insert into board_rounds (challenge, round, version, border)
      values ('board', '1', 1, ${new Date(now - 96 * HOUR).toISOString()})`.execute(trx);
    await rebuildStandings(trx, "board");
  });
  await sql`${sql.raw(isSqlite ? "analyze" : "vacuum analyze")}`.execute(records.db);
  await advanceWindows({ records, catalog });
}

let made = 0;
function arrive({ db }: Records, participant: number): Promise<SubmissionRow> {
  return db
    .insertInto("submissions")
    .values({
      id: `n${made++}`,
      challenge: "board",
      participant_id: participant,
      round: "1",
      function: "submit",
      state: "grading",
      dry_run: 0,
      post_challenge: 0,
      input_kind: "json",
      input_size: 1,
      input_sha256: "",
      created_at: new Date().toISOString(),
      attempt: 1,
      starts: 1,
      seq: 3,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

const outcome = (score: number) => ({
  ok: true as const,
  score,
  score_secondary: null,
  message: null,
  meta: {},
  data: null,
  media: null,
  artifacts: [],
  evaluator_version: "1",
});
