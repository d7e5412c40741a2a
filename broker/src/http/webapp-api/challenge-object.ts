import { type ChallengeConfig, challengeState, type RoundConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import { findClosure } from "../../domain/challenges/find-closure.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { Db } from "../../records/records.ts";
import { challengeNumber, roundNumbers } from "./challenge-numbers.ts";
import { currentRound } from "./current-round.ts";

const STATUSES = ["running", "starting_soon", "completed"] as const;

/** Lists the challenges as the webapp does: running ones first, then by number of participants. */
export async function listWebappChallenges({
  records: { db },
  catalog,
  clock,
}: Needs<"records" | "catalog" | "clock">) {
  const now = clock();
  const participants = await countParticipants(db);
  const listed = await Promise.all(
    [...catalog.all().values()].map(async ({ config }) => ({
      object: await challengeObject(db, config, now),
      participants: participants.get(config.id) ?? 0,
    })),
  );
  const place = ({ object }: (typeof listed)[number]) => STATUSES.indexOf(object.status_cd);
  listed.sort(
    (a, b) =>
      place(a) - place(b) || b.participants - a.participants || (a.object.id ?? 0) - (b.object.id ?? 0),
  );
  return listed.map(({ object }) => object);
}

/** Returns a challenge with its rounds. */
export async function wholeChallenge(
  { records: { db }, clock }: Needs<"records" | "clock">,
  config: ChallengeConfig,
) {
  const now = clock();
  const object = await challengeObject(db, config, now);
  const numbers = await roundNumbers(db, config.id);
  const rounds = config.rounds.map((round, index) => {
    const known = numbers.get(round.id);
    return {
      id: known?.number ?? null,
      challenge_id: object.id,
      challenge_round: round.title ?? `Round ${index + 1}`,
      active: round === currentRound(config, now),
      start_dttm: time(round.starts_at),
      end_dttm: time(round.ends_at),
      ...limitsOf(round),
      minimum_score: round.minimum_score,
      minimum_score_secondary: null,
      ranking_window: round.ranking_window_hours,
      ranking_highlight: round.highlight,
      score_precision: config.score.precision,
      score_secondary_precision: config.score_secondary?.precision ?? config.score.precision,
      leaderboard_note: null,
      leaderboard_note_markdown: null,
      created_at: known?.created_at ?? null,
      updated_at: known?.created_at ?? null,
    };
  });
  return { ...object, challenge_rounds: rounds };
}

async function challengeObject(db: Db, config: ChallengeConfig, now: Date) {
  return {
    id: await challengeNumber(db, config.id),
    challenge: config.title,
    status_cd: statusOf(config, (await findClosure(db, config.id)) !== null, now),
    primary_sort_order_cd: config.score.order,
    secondary_sort_order_cd: config.score_secondary?.order ?? "not_used",
    perpetual_challenge: config.rounds.some(({ ends_at }) => ends_at === null),
  };
}

/** Null without a limit. For parallel submissions, the webapp writes 0 for no limit. */
const limitsOf = ({ limit, parallel_limit }: RoundConfig) => ({
  submission_limit: limit?.count ?? null,
  submission_limit_period_cd: limit?.per ?? null,
  failed_submissions: 0,
  parallel_submissions: parallel_limit ?? 0,
});

const STATUS_OF = {
  open: "running",
  upcoming: "starting_soon",
  ended: "completed",
  closed: "completed",
} as const;

const statusOf = (config: ChallengeConfig, isClosed: boolean, now: Date): (typeof STATUSES)[number] =>
  STATUS_OF[challengeState(config, isClosed, now).state];

const time = (text: string | null) => text && new Date(text).toISOString();

async function countParticipants(db: Db): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom("submissions")
    .select(["challenge", sql<number>`count(distinct participant_id)`.as("participants")])
    .where("function", "=", "submit")
    .groupBy("challenge")
    .execute();
  return new Map(rows.map((row) => [row.challenge, Number(row.participants)]));
}
