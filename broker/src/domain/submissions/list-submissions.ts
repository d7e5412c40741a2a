import { roundScore, STATES } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { z } from "zod";
import type { Db } from "../../records/records.ts";

/**
 * A submission in a list, as every permitted viewer sees it: no more than redactSubmission keeps of an
 * unpublished one.
 */
export const listedSubmissionSchema = z.object({
  id: z.string(),
  number: z.number().int(),
  participant: z.string(),
  round: z.string(),
  state: z.enum(STATES),
  score: z.number().nullable().describe("Rounded to the challenge's precision; a baseline's as it is."),
  score_secondary: z.number().nullable(),
  post_challenge: z.boolean(),
  baseline: z.boolean(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
  you: z.boolean(),
});
export type ListedSubmission = z.infer<typeof listedSubmissionSchema>;

/** Returns submissions to a challenge, newest first. */
export async function listSubmissions(
  db: Db,
  config: ChallengeConfig,
  query: {
    round: string | null;
    limit: number;
    before: number | null;
    viewer: number | null;
    ownOnly: boolean;
  },
): Promise<ListedSubmission[]> {
  const rows = await db
    .selectFrom("submissions")
    .innerJoin("participants", "participants.id", "submissions.participant_id")
    .select([
      "submissions.id",
      "submissions.number",
      "submissions.participant_id",
      "submissions.round",
      "submissions.state",
      "submissions.score",
      "submissions.score_secondary",
      "submissions.post_challenge",
      "submissions.baseline",
      "submissions.created_at",
      "submissions.finished_at",
      "participants.name",
    ])
    .where("submissions.challenge", "=", config.id)
    .where("submissions.function", "=", "submit")
    .where("submissions.dry_run", "=", 0)
    .$if(query.round !== null, (some) => some.where("submissions.round", "=", query.round as string))
    .$if(query.before !== null, (some) => some.where("submissions.number", "<", query.before as number))
    .$if(query.ownOnly, (some) => some.where("submissions.participant_id", "=", query.viewer ?? -1))
    .orderBy("submissions.number", "desc")
    .limit(query.limit)
    .execute();
  const { score, score_secondary } = config;
  return rows.map((row) => ({
    id: row.id,
    number: row.number,
    participant: row.name,
    round: row.round,
    state: row.state,
    score: shown(row, row.score, score.precision),
    score_secondary: score_secondary ? shown(row, row.score_secondary, score_secondary.precision) : null,
    post_challenge: row.post_challenge === 1,
    baseline: row.baseline === 1,
    created_at: row.created_at,
    finished_at: row.finished_at,
    you: row.participant_id === query.viewer,
  }));
}

const shown = (row: { baseline: number }, score: number | null, precision: number): number | null =>
  score === null || row.baseline === 1 ? score : roundScore(score, precision);
