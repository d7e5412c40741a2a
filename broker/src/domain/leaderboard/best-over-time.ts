import { setImmediate } from "node:timers/promises";
import type { ChallengeConfig, RoundConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import type { Db } from "../../records/records.ts";
import { lookup } from "../../records/statement.ts";
import { ARRIVED, COUNTS, RANKED } from "./boards.ts";
import { shownScore } from "./standings.ts";

/** A moment at which the best score of a round became better. */
export interface BestScore {
  at: string;
  score: number;
}

export type ReadBestOverTime = (config: ChallengeConfig, round: RoundConfig) => Promise<readonly BestScore[]>;

const MAX_POINTS = 200;
const FRESH_MS = 30_000;
/** Reading takes at most this part of the time, however many submissions there are. */
const MAX_SHARE = 1 / 300;
const HOUR = 3_600_000;
/**
 * How much of a time tells moments apart, for rounds that last longer than this: at most some thousand of
 * them.
 */
const MOMENTS: readonly [longerThan: number, length: number, rest: string][] = [
  [90 * 24 * HOUR, 10, "T00:00:00.000Z"],
  [3 * 24 * HOUR, 13, ":00:00.000Z"],
  [12 * HOUR, 15, "0:00.000Z"],
  [HOUR / 6, 16, ":00.000Z"],
  [-1, 19, ".000Z"],
];

interface Remembered {
  version: number;
  /** When the points may be read again. */
  nextAt: number;
  points: Promise<readonly BestScore[]>;
}

/**
 * Returns a reader of the best scores of a round over time, of all graded submissions made before its end. It
 * reads them at most twice a minute, and only after the board has changed, so that a page costs the same
 * whatever the number of submissions. Only the first reader of a round waits for them.
 */
export function rememberBestOverTime(db: () => Db): ReadBestOverTime {
  const known = new Map<string, Remembered>();
  return async (config, round) => {
    const name = JSON.stringify([config.id, round.id]);
    const board = await versionOf(db(), { challenge: config.id, round: round.id });
    if (!board) return [];
    const { version } = board;
    const before = known.get(name);
    const now = performance.now();
    if (before && (before.version === version || now < before.nextAt)) return before.points;
    // Later readers do not wait for it: they get the points of before.
    const points = before
      ? setImmediate().then(() => readBestOverTime(db(), config, round))
      : readBestOverTime(db(), config, round);
    const entry: Remembered = { version, nextAt: now + FRESH_MS, points: before?.points ?? points };
    known.set(name, entry);
    points.then(
      () => {
        const took = performance.now() - now;
        entry.nextAt = now + Math.max(FRESH_MS, took / MAX_SHARE);
        entry.points = points;
      },
      () => known.delete(name),
    );
    return entry.points;
  };
}

const versionOf = lookup((db, { challenge, round }: { challenge: string; round: string }) =>
  db
    .selectFrom("board_rounds")
    .select("version")
    .where("challenge", "=", challenge)
    .where("round", "=", round),
);

async function readBestOverTime(db: Db, config: ChallengeConfig, round: RoundConfig): Promise<BestScore[]> {
  const submissions = db
    .selectFrom("submissions")
    .where("challenge", "=", config.id)
    .where("round", "=", round.id)
    .$if(round.ends_at !== null, (rows) =>
      rows.where("created_at", "<=", new Date(round.ends_at as string).toISOString()),
    );
  const span = await submissions
    .select((eb) => [eb.fn.min("created_at").as("from"), eb.fn.max("created_at").as("to")])
    .where(ARRIVED)
    .executeTakeFirstOrThrow();
  if (!span.from) return [];
  const lasted = Date.parse(span.to) - Date.parse(span.from);
  const [, length, rest] = MOMENTS.find(([longerThan]) => lasted > longerThan) as (typeof MOMENTS)[number];
  const moment = sql<string>`substr(created_at, 1, ${sql.lit(length)})`;
  const rows = await submissions
    .select([moment.as("moment"), sql<number>`min(sort_primary)`.as("best")])
    .where(RANKED)
    .where(COUNTS)
    .groupBy(moment)
    .orderBy(moment)
    .execute();
  const points: BestScore[] = [];
  let best = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const key = Number(row.best);
    const score = shownScore(config.score, key);
    if (score === null || key >= best) continue;
    best = key;
    points.push({ at: row.moment + rest, score });
  }
  return thinned(points);
}

/** Keeps some of the points, and the last. */
function thinned(points: BestScore[]): BestScore[] {
  const step = Math.ceil(points.length / MAX_POINTS);
  return points.filter((_, i) => (points.length - 1 - i) % step === 0);
}
