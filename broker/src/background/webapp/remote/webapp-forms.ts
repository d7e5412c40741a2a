import { catalog as errors, parseExact } from "@crowdai/shared";
import type { SubmissionRow } from "../../../records/tables.ts";
import { SUBMISSION_MARK } from "./webapp-client.ts";

type Form = Record<string, string>;

/** Builds the form that opens a submission. The webapp decides on round and lateness, by its own dates. */
export function openForm(
  { id, challenge, message }: Pick<SubmissionRow, "id" | "challenge" | "message">,
  key: string,
): Form {
  return {
    api_key: key,
    challenge_client_name: challenge,
    grading_status: "submitted",
    meta: JSON.stringify({ [SUBMISSION_MARK]: id }),
    ...(message === null ? {} : { description_markdown: message }),
  };
}

/**
 * Builds the complete outcome of a submission, which replaces the earlier grade at the webapp. Null for an
 * unfinished submission.
 */
export function gradeForm(row: SubmissionRow): Form | null {
  switch (row.state) {
    case "graded":
      return {
        grading_status: "graded",
        ...(row.score === null ? {} : { score: String(row.score) }),
        ...(row.score_secondary === null ? {} : { score_secondary: String(row.score_secondary) }),
        ...(row.grading_message === null ? {} : { grading_message: row.grading_message }),
        meta: JSON.stringify({ ...objectOf(row.meta), [SUBMISSION_MARK]: row.id }),
        // Without it the original refuses to replace an existing meta.
        meta_overwrite: "True",
      };
    case "failed":
    case "cancelled":
      return { grading_status: "failed", grading_message: reasonOf(row) };
    default:
      return null;
  }
}

export function mediaForm({
  state,
  media_large,
  media_thumbnail,
  media_content_type,
}: SubmissionRow): Form | null {
  if (state !== "graded" || media_large === null || media_thumbnail === null || media_content_type === null)
    return null;
  return { media_large, media_thumbnail, media_content_type };
}

export const withdrawnForm = (id: string): Form => ({
  grading_status: "failed",
  grading_message: `Submission ${id} was not registered at the broker.`,
});

/** Never blank: the webapp refuses a failure without a reason. */
function reasonOf({ error_message, error_code }: SubmissionRow): string {
  if (error_message?.trim()) return error_message;
  return errors[error_code ?? "unexpected"].title;
}

function objectOf(text: string | null): Record<string, unknown> {
  const value: unknown = text === null ? null : parseExact(text);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
