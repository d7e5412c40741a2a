import type { ErrorBody, Limits, PublicChallenge, Submission } from "@crowdai/shared";

/** An answer of `crowdai evaluate`, as its JSON output has it. */
export type ReportedAnswer =
  | { ok: true; id: string; score: number | null; data: unknown; message: string | null }
  | { ok: false; id: string | null; error: ErrorBody };

/**
 * The contents of a report. Commands fill them in as they learn them; facts that a command never learns stay
 * as they are.
 */
export interface Facts {
  /** The file that the command line names. */
  file: string | null;
  challenge: Pick<PublicChallenge, "id" | "score" | "score_secondary"> | null;
  submission: Submission | null;
  /** The number of ranked participants. */
  ranked: number | null;
  limits: Limits | null;
  answers: readonly ReportedAnswer[] | null;
  dryRun: boolean;
  /** Whether the input passed a check, without being submitted. */
  checked: boolean;
}

export function noFacts(): Facts {
  return {
    file: null,
    challenge: null,
    submission: null,
    ranked: null,
    limits: null,
    answers: null,
    dryRun: false,
    checked: false,
  };
}

/** How the command ended. */
export interface End {
  exitCode: number;
  error: ErrorBody | null;
}
