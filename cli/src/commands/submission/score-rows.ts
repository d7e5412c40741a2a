import type { PublicChallenge, Submission } from "@crowdai/shared";
import type { LabeledRow } from "../../terminal/labels.ts";
import { plainLine } from "../../terminal/plain-text.ts";

type Scores = Pick<PublicChallenge, "score" | "score_secondary">;

/** Returns the scores under the titles that the challenge gives them; without it, in full under general labels. */
export function scoreRows({ score, score_secondary }: Submission, scores: Scores | null): LabeledRow[] {
  const row = (title: PublicChallenge["score"] | null | undefined, label: string, value: number | null) =>
    [
      title ? plainLine(title.title) : label,
      value === null ? null : title ? value.toFixed(title.precision) : String(value),
    ] as const;
  return [
    row(scores?.score, "Score", score),
    row(scores?.score_secondary, "Secondary score", score_secondary),
  ];
}

/** Returns the rank with the number of ranked participants and the move, such as `3 of 12 (up 2)`. */
export function rankText({ rank, rank_before: before }: Submission, total: number | null): string | null {
  if (rank === null) return null;
  const of = total !== null && total >= rank ? ` of ${total}` : "";
  if (before === null || before === rank) return `${rank}${of}`;
  return `${rank}${of} (${before > rank ? `up ${before - rank}` : `down ${rank - before}`})`;
}
