import { type CrowdaiError, type PublicChallenge, type Submission, stringifyExact } from "@crowdai/shared";
import type { HttpClient } from "../../client/http/http-client.ts";
import { plainText } from "../../terminal/plain-text.ts";
import { slotsText } from "../../terminal/slots-text.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { Facts } from "./facts.ts";
import { belowMinimum } from "./minimum-score.ts";
import { readStanding } from "./read-standing.ts";
import { lastLines } from "./run-rows.ts";
import { rankRows, rankText, scoreRows } from "./score-rows.ts";
import { submissionDocument } from "./submission-document.ts";

export interface GradeReport {
  terminal: Terminal;
  facts: Facts;
  http: HttpClient;
  signal: AbortSignal;
  challenge: PublicChallenge;
  submission: Submission;
  minScore?: number;
  /**
   * Whether the id stands on stdout already, so that a pipe gets nothing else; otherwise it gets the score.
   */
  isIdPrinted: boolean;
}

/**
 * Prints the grade: for eyes, scores and rank on stdout; in a pipe, one value. Throws below_minimum after
 * printing.
 */
export async function reportGrade(report: GradeReport): Promise<number> {
  const { terminal, facts, http, signal, challenge, submission, minScore, isIdPrinted } = report;
  const isAlone = (terminal.quiet && terminal.format === "text") || submission.function !== "submit";
  const { total, limits } = isAlone
    ? { total: null, limits: null }
    : await readStanding(http, submission, signal);
  Object.assign(facts, { challenge, submission, ranked: total, limits });
  const below = minScore === undefined ? null : belowMinimum(submission.score, challenge, minScore);

  terminal.present({
    json: { ...submissionDocument(submission), limits, ranked: total, ...failureFields(below) },
    ndjson: [{ type: "result", ...submissionDocument(submission), limits, ranked: total }],
    // The id was printed when the submission was accepted, or is what the caller named.
    quiet: [],
    next: [`crowdai leaderboard ${submission.challenge}`],
    text: () => {
      // In a pipe, one value stands alone on stdout.
      if (!terminal.isForEyes && !isIdPrinted) terminal.answer(gradeValue(submission));
      const rows = [
        ...scoreRows(submission, challenge),
        ...(submission.standing
          ? rankRows(submission, total)
          : [["Rank", rankText(submission, total)] as const]),
      ];
      for (const [label, value] of rows) if (value) terminal.outcome(`${label}: ${value}`);
      if (submission.data !== null && submission.data !== undefined)
        terminal.outcome(stringifyExact(submission.data));
    },
  });

  if (submission.grading_message) terminal.note(`Evaluator: ${plainText(submission.grading_message)}`);
  if (submission.post_challenge)
    terminal.note("The challenge has ended. The grade is marked as made after its end.");
  if ((submission.standing ?? submission).best === false)
    terminal.note("This is not your best submission of the round.");
  if (limits?.limit) terminal.note(`Submissions left: ${slotsText(limits)}`);
  if (below) throw below;
  terminal.next(`crowdai leaderboard ${submission.challenge}`);
  return 0;
}

/** Returns the score, or the data if there is none. */
function gradeValue({ score, data }: Submission): string {
  return score === null ? stringifyExact(data ?? null) : String(score);
}

/**
 * Prints the JSON of a submission that ended without a grade, if the error holds one. The caller throws the
 * error.
 */
export function reportFailure(terminal: Terminal, error: CrowdaiError | undefined): void {
  const submission = error?.details?.submission;
  if (typeof submission !== "object" || submission === null) return;
  const document = submissionDocument(submission as Submission);
  if (terminal.format === "json") terminal.json({ ...document, ...failureFields(error!) });
  terminal.event({ type: "result", ...document });
  const { run } = submission as Submission;
  const lines = terminal.format === "text" && run ? lastLines(run, MAX_LINES) : [];
  if (lines.length > 0) terminal.note(["It printed last:", ...lines.map((line) => `  ${line}`)].join("\n"));
}

/** How many lines of a failed program are shown at once; `crowdai logs` has all. */
const MAX_LINES = 20;

function failureFields(error: CrowdaiError | null): object {
  if (!error) return {};
  // The document holds the submission already.
  const { submission: _, ...details } = error.details ?? {};
  return { error: { ...error.toBody(), details }, exit_code: error.exitCode };
}
