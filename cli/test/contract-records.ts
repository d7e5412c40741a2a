import type { Intent, Limits, PublicChallenge, Submission } from "@crowdai/shared";

export function describeChallenge(): PublicChallenge {
  return {
    id: "iris",
    title: "Iris",
    description: "",
    score: { title: "Accuracy", order: "descending", precision: 3 },
    score_secondary: { title: "Macro F1", order: "descending", precision: 3 },
    rounds: [
      {
        id: "1",
        number: 1,
        title: "Round 1",
        starts_at: null,
        ends_at: null,
        state: "open",
        limit: { count: 5, per: "day" },
        parallel_limit: null,
        minimum_score: null,
      },
    ],
    round: "1",
    accepts: {
      file: { extensions: [".csv"], max_bytes: 10_000_000 },
      json: { schema: true, max_bytes: 10_000_000 },
      code: null,
      model: { max_bytes: 1_000_000_000 },
    },
    functions: ["submit", "evaluate"],
    after_end: "reject",
    code: { capture: "off" },
    data: [],
    graders: 1,
    waiting: null,
    url: "http://broker.test/challenges/iris",
  };
}

export function describeLimits(): Limits {
  return {
    challenge: "iris",
    round: "1",
    limit: { count: 5, per: "day" },
    used: 1,
    remaining: 4,
    next_at: null,
    parallel_limit: null,
    running: 0,
    ends_at: null,
    graders: 1,
    waiting: null,
  };
}

export function describeSubmission(
  intent: Intent,
  number: number,
  input: Submission["input"],
  url: string,
): Submission {
  return {
    id: intent.id,
    number,
    challenge: intent.challenge,
    participant: "ada",
    round: intent.round ?? "1",
    function: intent.function ?? "submit",
    state: "initiated",
    message: intent.message,
    input,
    post_challenge: false,
    created_at: new Date().toISOString(),
    accepted_at: null,
    finished_at: null,
    score: null,
    score_secondary: null,
    grading_message: null,
    data: null,
    error: null,
    rank: null,
    rank_before: null,
    best: null,
    place: null,
    waiting: null,
    expected_at: null,
    graders: null,
    slot: "reserved",
    attempt: 0,
    evaluator_version: null,
    regraded: null,
    artifacts: [],
    media: null,
    media_dropped: null,
    code: null,
    publish: false,
    published_at: null,
    seq: 0,
    url: `${url}/submissions/${intent.id}`,
  };
}
