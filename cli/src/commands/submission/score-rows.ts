import { type PublicChallenge, roundScore, type Submission } from "@crowdai/shared";
import type { LabeledRow } from "../../terminal/labels.ts";
import { plainLine } from "../../terminal/plain-text.ts";

type Scores = Pick<PublicChallenge, "score" | "score_secondary"> & Partial<Pick<PublicChallenge, "columns">>;

/**
 * Returns the scores under the titles that the challenge gives them; without it, in full under general
 * labels.
 */
export function scoreRows(submission: Submission, scores: Scores | null): LabeledRow[] {
  const { score, score_secondary, score_final, columns } = submission;
  const row = (title: PublicChallenge["score"] | null | undefined, label: string, value: number | null) =>
    [
      title ? plainLine(title.title) : label,
      value === null
        ? null
        : title
          ? roundScore(value, title.precision).toFixed(title.precision)
          : String(value),
    ] as const;
  return [
    row(scores?.score, "Score", score),
    row(scores?.score_secondary, "Secondary score", score_secondary),
    row(scores && { ...scores.score, title: `${scores.score.title} (final)` }, "Final score", score_final),
    ...(scores?.columns ?? []).map((column) => row(column, column.key, columns[column.key] ?? null)),
  ];
}

/** Returns today's rank and the rank at the grade; without today's, the latter alone. */
export function rankRows(submission: Submission, total: number | null): LabeledRow[] {
  const { standing, best } = submission;
  if (!standing) return [["Rank", withBest(rankText(submission, total), best, ", your best")]];
  const { rank } = standing;
  const now = rank === null ? null : `${rank}${total !== null && total >= rank ? ` of ${total}` : ""}`;
  return [
    ["Rank", withBest(now, true, standing.best ? ", by this submission" : ", by your best submission")],
    ["Rank when graded", withBest(rankText(submission, null), best, ", your best then")],
  ];
}

const withBest = (rank: string | null, isBest: boolean | null, text: string): string | null =>
  rank === null ? null : `${rank}${isBest ? text : ""}`;

/** Returns the rank with the number of ranked participants and the move, such as `3 of 12 (up 2)`. */
export function rankText({ rank, rank_before: before }: Submission, total: number | null): string | null {
  if (rank === null) return null;
  const of = total !== null && total >= rank ? ` of ${total}` : "";
  if (before === null || before === rank) return `${rank}${of}`;
  return `${rank}${of} (${before > rank ? `up ${before - rank}` : `down ${rank - before}`})`;
}
