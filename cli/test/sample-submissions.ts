import type { Submission } from "@crowdai/shared";

/** A submission just made, as its participant sees it. */
export function newSubmission(changes: Partial<Submission> = {}): Submission {
  return {
    id: "abcdefgh01234567",
    number: 12,
    challenge: "iris",
    participant: "ada",
    round: "2",
    function: "submit",
    state: "initiated",
    message: "deeper trees",
    input: { kind: "file", name: "predictions.csv", size: 1234, sha256: "0".repeat(64) },
    post_challenge: false,
    created_at: "2026-11-23T12:00:00Z",
    sealed_at: null,
    accepted_at: null,
    finished_at: null,
    score: null,
    score_secondary: null,
    score_final: null,
    selected: false,
    columns: {},
    grading_message: null,
    data: null,
    error: null,
    rank: null,
    rank_before: null,
    best: null,
    standing: null,
    place: null,
    waiting: null,
    expected_at: null,
    graders: null,
    slot: "reserved",
    attempt: 0,
    evaluator_version: null,
    regraded: null,
    artifacts: [],
    run: null,
    environment: null,
    media: null,
    media_dropped: null,
    code: null,
    publish: false,
    published_at: null,
    member: null,
    disqualified: null,
    seq: 0,
    url: "http://broker.test/submissions/abcdefgh01234567",
    ...changes,
  };
}

/** A graded submission as its participant sees it. */
export function gradedSubmission(changes: Partial<Submission> = {}): Submission {
  return newSubmission({
    state: "graded",
    accepted_at: "2026-11-23T12:00:01Z",
    finished_at: "2026-11-23T12:00:05Z",
    score: 0.9666666666666667,
    score_secondary: 0.5,
    grading_message: "well done",
    rank: 2,
    rank_before: 4,
    best: true,
    slot: "charged",
    attempt: 1,
    evaluator_version: "1",
    seq: 5,
    ...changes,
  });
}

/** The events of a graded submission with two messages from the evaluator. */
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
      event(2, "progress", { percent: 49.58333333333333, message: "fold 1" }),
      event(3, "log", { message: "loaded" }),
      event(4, "progress", { percent: 60, message: null }),
      event(5, "graded", { message: "not the evaluator's" }),
    ],
  };
}
