import type { Leaderboard } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";

type Value = string | number | boolean | null;

/** Returns the columns of a board as a table, with their types. */
export function boardTableColumns({ columns }: Pick<ChallengeConfig, "columns">) {
  return {
    round: "text",
    rank: "integer",
    participant: "text",
    members: "text",
    score: "number",
    score_secondary: "number",
    ...Object.fromEntries(columns.map(({ key }) => [`data.${key}`, "number" as const])),
    score_public: "number",
    rank_before: "integer",
    entries: "integer",
    submission: "text",
    submitted_at: "time",
    post_challenge: "boolean",
    baseline: "boolean",
  } as const;
}

/** Returns the rows of a board's page by the names of boardTableColumns. A baseline has no rank. */
export function boardTableRows({ round, rows }: Leaderboard): Record<string, Value>[] {
  return rows.map((row) => ({
    round,
    rank: row.baseline ? null : row.rank,
    participant: row.participant,
    members: row.members.join(", ") || null,
    score: row.score,
    score_secondary: row.score_secondary,
    ...Object.fromEntries(Object.entries(row.columns).map(([key, value]) => [`data.${key}`, value])),
    score_public: row.score_public,
    rank_before: row.rank_before,
    entries: row.entries,
    submission: row.submission,
    submitted_at: row.submitted_at,
    post_challenge: row.post_challenge,
    baseline: row.baseline,
  }));
}
