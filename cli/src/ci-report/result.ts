import type { End, Facts } from "../commands/submission/facts.ts";

/** The outcome in single values, as later steps of a job read them. */
export interface Result {
  id: string | null;
  score: number | null;
  rank: number | null;
  /** The state of the submission, `graded` for answers, `dry_run`, `checked`, or `not_submitted`. */
  status: string;
  url: string | null;
  /** The code of the error. */
  error: string | null;
  exitCode: number;
}

export function resultOf({ submission, answers, dryRun, checked }: Facts, { error, exitCode }: End): Result {
  const outcome = { error: error?.code ?? null, exitCode };
  if (answers) {
    const [only] = answers.length === 1 ? answers : [];
    const status = answers.every(({ ok }) => ok) ? "graded" : "failed";
    return {
      id: only?.id ?? null,
      score: only?.ok ? only.score : null,
      rank: null,
      status,
      url: null,
      ...outcome,
    };
  }
  if (submission) {
    const { id, score, rank, state, url } = submission;
    return { id, score, rank, status: state, url, ...outcome };
  }
  const status = dryRun ? "dry_run" : checked ? "checked" : "not_submitted";
  const { submission: named } = error?.details ?? {};
  return {
    id: typeof named === "string" ? named : null,
    score: null,
    rank: null,
    status,
    url: null,
    ...outcome,
  };
}
