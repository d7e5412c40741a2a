import type { Needs } from "../../domain/submissions/services.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { challengeNumber, roundNumbers } from "./challenge-numbers.ts";
import { metaOf } from "./meta.ts";
import { readStatus } from "./webapp-status.ts";

const FILE_SECONDS = 7 * 24 * 3600;

/** A submission with its participant's name. */
export type NamedRow = SubmissionRow & { participant: string };

/** Returns submissions of a challenge as the webapp shows them to admins and organizers. */
export async function submissionObjects(
  context: Needs<"records" | "catalog" | "objects">,
  challenge: string,
  rows: NamedRow[],
): Promise<Record<string, unknown>[]> {
  const { db } = context.records;
  const number = await challengeNumber(db, challenge);
  const rounds = await roundNumbers(db, challenge);
  const title = context.catalog.all().get(challenge)?.config.title ?? challenge;
  return Promise.all(
    rows.map(async (row) => ({
      id: row.number,
      challenge_id: number,
      challenge_round_id: rounds.get(row.round)?.number ?? null,
      participant_id: row.participant_id,
      challenge_name: title,
      created_at: row.created_at,
      // The broker stores only the names of participants.
      participant_email: null,
      participant_name: row.participant,
      participant_firstname: null,
      participant_lastname: null,
      participant_affiliation: null,
      grading_status_cd: readStatus(row),
      // The original omits it; the client of its successor reads it.
      grading_message: gradingMessage(row),
      score: row.score,
      score_secondary: row.score_secondary,
      meta: metaOf(row.meta),
      clef_method_description: null,
      clef_retrieval_type: null,
      clef_run_type: null,
      clef_primary_run: false,
      clef_other_info: null,
      clef_additional: null,
      description_markdown: row.message,
      submission_files: await filesOf(context, row),
    })),
  );
}

async function filesOf({ objects }: Needs<"objects">, row: SubmissionRow) {
  if (row.input_key === null || row.accepted_at === null) return [];
  const aws_url = await objects.signGet(row.input_key, {
    seconds: FILE_SECONDS,
    ...(row.input_name === null ? {} : { name: row.input_name }),
  });
  return [{ id: row.number, submission_file_s3_key: row.input_key, aws_url }];
}

/** Returns the body of `submission_info`: JSON in a string, as in the original. */
export function submissionDetails(row: NamedRow): string {
  return JSON.stringify({
    id: row.number,
    participant_id: row.participant_id,
    score: row.score,
    score_secondary: row.score_secondary,
    grading_status_cd: readStatus(row),
    grading_message: gradingMessage(row),
    post_challenge: row.post_challenge === 1,
    media_content_type: row.media_content_type,
    created_at: row.created_at,
    updated_at: row.finished_at ?? row.accepted_at ?? row.created_at,
    participant: { name: row.participant },
  });
}

const gradingMessage = (row: SubmissionRow): string | null =>
  row.state === "failed" ? row.error_message : row.grading_message;
