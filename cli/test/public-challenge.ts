import type { Leaderboard, Limits, PublicChallenge } from "@crowdai/shared";

/** A round that is bounded only by its limit. */
export const ROUND = { starts_at: null, ends_at: null, parallel_limit: null, minimum_score: null };

/** A challenge as a broker describes it. */
export function publicChallenge(changes: Partial<PublicChallenge> = {}): PublicChallenge {
  return {
    id: "iris",
    title: "Iris",
    description: "Tell three flowers apart.",
    score: { title: "Accuracy", order: "descending", precision: 3 },
    score_secondary: { title: "Macro F1", order: "descending", precision: 2 },
    columns: [],
    final: null,
    rounds: [
      {
        ...ROUND,
        id: "1",
        number: 1,
        title: "Warm-up",
        state: "ended",
        limit: null,
        ends_at: "2026-01-01T00:00:00Z",
      },
      { ...ROUND, id: "2", number: 2, title: "Final", state: "open", limit: { count: 5, per: "day" } },
    ],
    round: "2",
    state: "open",
    opens_at: null,
    closed_at: null,
    accepts: {
      file: { extensions: [".csv"], max_bytes: 2_000_000 },
      json: { schema: { type: "array" }, max_bytes: 10_000 },
      code: null,
      model: { max_bytes: 1_000_000_000 },
    },
    check: null,
    functions: ["submit", "classify"],
    after_end: "reject",
    code: { capture: "off" },
    data: [],
    run: null,
    environment: null,
    graders: 1,
    waiting: null,
    url: "http://broker.test/challenges/iris",
    ...changes,
  };
}

/** A page of a leaderboard: two rows of several. */
export function leaderboardOf(
  rows: Partial<Leaderboard["rows"][number]>[],
  total = rows.length,
): Leaderboard {
  const { id, round, score, score_secondary } = publicChallenge();
  return {
    challenge: id,
    round,
    board: "current",
    score,
    score_secondary,
    columns: [],
    final: false,
    version: 1,
    total,
    rows: rows.map((row, i) => ({
      rank: i + 1,
      participant: `p${i + 1}`,
      members: [],
      profile: null,
      score: 0.5,
      score_secondary: null,
      score_public: null,
      columns: {},
      entries: 1,
      submission: `submission${i + 1}`,
      submitted_at: "2026-11-23T12:00:00Z",
      post_challenge: false,
      you: false,
      rank_before: null,
      highlight: false,
      baseline: false,
      media: null,
      code: null,
      ...row,
    })),
  };
}

/** Limits with three of five submissions left. */
export function limits(changes: Partial<Limits> = {}): Limits {
  return {
    challenge: "iris",
    round: "2",
    limit: { count: 5, per: "day" },
    used: 2,
    used_in_other_rounds: 0,
    remaining: 3,
    next_at: null,
    parallel_limit: 2,
    running: 1,
    uploading: 0,
    ends_at: null,
    opens_at: null,
    closed_at: null,
    graders: 2,
    waiting: null,
    ...changes,
  };
}
