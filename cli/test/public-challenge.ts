import type { Leaderboard, PublicChallenge, Submission } from "@crowdai/shared";

/** A challenge as a broker describes it. */
export function publicChallenge(changes: Partial<PublicChallenge> = {}): PublicChallenge {
  const round = { starts_at: null, ends_at: null, parallel_limit: null, minimum_score: null };
  return {
    id: "iris",
    title: "Iris",
    description: "Tell three flowers apart.",
    score: { title: "Accuracy", order: "descending", precision: 3 },
    score_secondary: { title: "Macro F1", order: "descending", precision: 2 },
    rounds: [
      {
        ...round,
        id: "1",
        number: 1,
        title: "Warm-up",
        state: "ended",
        limit: null,
        ends_at: "2026-01-01T00:00:00Z",
      },
      { ...round, id: "2", number: 2, title: "Final", state: "open", limit: { count: 5, per: "day" } },
    ],
    round: "2",
    accepts: {
      file: { extensions: [".csv"], max_bytes: 2_000_000 },
      json: { schema: { type: "array" }, max_bytes: 10_000 },
      code: null,
      model: { max_bytes: 1_000_000_000 },
    },
    functions: ["submit", "classify"],
    after_end: "reject",
    code: { capture: "off" },
    data: [],
    graders: 1,
    waiting: null,
    url: "http://broker.test/challenges/iris",
    ...changes,
  };
}

/** A graded submission as its participant sees it. */
export function gradedSubmission(changes: Partial<Submission> = {}): Submission {
  return {
    id: "abcdefgh01234567",
    number: 12,
    challenge: "iris",
    participant: "ada",
    round: "2",
    function: "submit",
    state: "graded",
    message: "deeper trees",
    input: { kind: "file", name: "predictions.csv", size: 1234, sha256: "0".repeat(64) },
    post_challenge: false,
    created_at: "2026-11-23T12:00:00Z",
    accepted_at: "2026-11-23T12:00:01Z",
    finished_at: "2026-11-23T12:00:05Z",
    score: 0.9666666666666667,
    score_secondary: 0.5,
    grading_message: "well done",
    data: null,
    error: null,
    rank: 2,
    rank_before: 4,
    best: true,
    place: null,
    waiting: null,
    expected_at: null,
    graders: null,
    slot: "charged",
    attempt: 1,
    evaluator_version: "1",
    regraded: null,
    artifacts: [],
    media: null,
    media_dropped: null,
    code: null,
    publish: false,
    published_at: null,
    seq: 5,
    url: "http://broker.test/submissions/abcdefgh01234567",
    ...changes,
  };
}

/** A leaderboard with two rows of more. */
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
    version: 1,
    total,
    rows: rows.map((row, i) => ({
      rank: i + 1,
      participant: `p${i + 1}`,
      score: 0.5,
      score_secondary: null,
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

/** Three of five submissions left. */
export function limits() {
  return {
    challenge: "iris",
    round: "2",
    limit: { count: 5, per: "day" },
    used: 2,
    remaining: 3,
    next_at: null,
    parallel_limit: 2,
    running: 1,
    ends_at: null,
    graders: 2,
    waiting: null,
  };
}

/** The events of a graded submission whose evaluator said two things. */
export function said() {
  const event = (seq: number, type: string, data: object) => ({
    submission: gradedSubmission().id,
    seq,
    at: "2026-11-23T12:00:00Z",
    type,
    data,
  });
  return {
    submission: gradedSubmission(),
    events: [
      event(1, "submitted", {}),
      event(2, "progress", { percent: 50, message: "fold 1" }),
      event(3, "log", { message: "loaded" }),
      event(4, "progress", { percent: 60, message: null }),
      event(5, "graded", { message: "not the evaluator's" }),
    ],
  };
}
