import { CrowdaiError, type Limits, type PublicChallenge, type Submission } from "@crowdai/shared";
import { readLeaderboard, readLimits } from "../../client/http/broker-queries.ts";
import type { Context } from "../../context.ts";
import { reaches } from "../../submit/grade.ts";
import { plainLine, plainText } from "../../terminal/plain-text.ts";
import { timeText } from "../../terminal/time.ts";
import { submissionDocument } from "./submission-document.ts";

const EXTRAS_MS = 3_000;

export interface Reported {
  challenge: PublicChallenge;
  submission: Submission;
  minScore?: number;
}

/** Prints the grade: the scores and the rank on stdout, the rest on stderr. Throws below_minimum after printing. */
export async function reportGrade(context: Context, reported: Reported): Promise<number> {
  const { challenge, submission, minScore } = reported;
  const { terminal } = context;
  const { total, limits } = await readExtras(context, submission);
  const below = minScore === undefined ? null : belowMinimum(submission, challenge, minScore);

  terminal.present({
    json: { ...submissionDocument(submission), limits, ranked: total, ...failureFields(below) },
    ndjson: [{ type: "result", ...submissionDocument(submission), limits, ranked: total }],
    // The id, which was printed when the submission was accepted or is what the caller named.
    quiet: [],
    text: () => {
      for (const line of scoreLines(submission, challenge)) terminal.answer(line);
      if (submission.rank !== null) terminal.answer(`Rank: ${rankText(submission, total)}`);
      if (submission.data !== null && submission.data !== undefined)
        terminal.answer(JSON.stringify(submission.data));
    },
  });

  if (submission.grading_message)
    terminal.note(`The evaluator says: ${plainText(submission.grading_message)}`);
  if (submission.post_challenge)
    terminal.note("The challenge has ended; the grade is marked as made after it.");
  if (submission.best === false) terminal.note("It is not your best of this round.");
  if (limits?.limit) terminal.note(slotsText(limits));
  if (below) throw below;
  terminal.next(`crowdai leaderboard ${submission.challenge}`);
  return 0;
}

/**
 * Prints the JSON of a submission that did not end in a grade, if the error holds one. The text comes with the error, which the
 * caller throws.
 */
export function reportFailure({ terminal }: Context, error: CrowdaiError | undefined): void {
  const submission = error?.details?.submission;
  if (typeof submission !== "object" || submission === null) return;
  const document = submissionDocument(submission as Submission);
  if (terminal.format === "json") terminal.json({ ...document, ...failureFields(error!) });
  if (terminal.format === "ndjson") terminal.ndjson({ type: "result", ...document });
}

function failureFields(error: CrowdaiError | null): object {
  if (!error) return {};
  // The submission stands beside it; twice in one document helps nobody.
  const { submission: _, ...details } = error.details ?? {};
  return { error: { ...error.toBody(), details }, exit_code: error.exitCode };
}

function belowMinimum(
  submission: Submission,
  { score }: PublicChallenge,
  wanted: number,
): CrowdaiError | null {
  if (submission.score !== null && reaches(submission.score, wanted, score.order)) return null;
  const relation = score.order === "descending" ? "below" : "above";
  return new CrowdaiError(
    "below_minimum",
    `${score.title} ${submission.score} is ${relation} the wanted ${wanted}.`,
    {
      details: { score: submission.score, wanted, order: score.order },
    },
  );
}

/** The size of the leaderboard and the slots left; nice to have, so a failure or a slow answer only leaves them out. */
async function readExtras(
  context: Context,
  submission: Submission,
): Promise<{ total: number | null; limits: Limits | null }> {
  if ((context.terminal.quiet && context.terminal.format === "text") || submission.function !== "submit")
    return { total: null, limits: null };
  const http = await context.http();
  const asked = {
    round: submission.round,
    signal: AbortSignal.any([context.signal, AbortSignal.timeout(EXTRAS_MS)]),
  };
  const [board, limits] = await Promise.allSettled([
    readLeaderboard(http, submission.challenge, { ...asked, limit: 1 }),
    readLimits(http, submission.challenge, asked),
  ]);
  return {
    total: board.status === "fulfilled" ? board.value.total : null,
    limits: limits.status === "fulfilled" ? limits.value : null,
  };
}

function scoreLines(submission: Submission, challenge: PublicChallenge): string[] {
  const lines: string[] = [];
  const add = (score: PublicChallenge["score"] | null, value: number | null) => {
    if (value !== null && score) lines.push(`${plainLine(score.title)}: ${value.toFixed(score.precision)}`);
  };
  add(challenge.score, submission.score);
  add(challenge.score_secondary, submission.score_secondary);
  return lines;
}

export function rankText({ rank, rank_before: before }: Submission, total: number | null): string {
  const of = total !== null && total >= rank! ? ` of ${total}` : "";
  if (before === null || before === rank) return `${rank}${of}`;
  return `${rank}${of} (${before > rank! ? `up ${before - rank!}` : `down ${rank! - before}`})`;
}

export function slotsText(limits: Limits): string {
  const { limit, remaining, next_at } = limits;
  if (!limit || remaining === null) return "Submissions are not limited.";
  const next = remaining === 0 && next_at ? `; the next slot comes ${timeText(next_at)}` : "";
  return `${remaining} of ${limit.count} submissions a ${limit.per} left${next}.`;
}
