import type { SubmissionRow } from "../../records/tables.ts";

/** Whether everybody may read what is kept with a submission: its author had it published, and the challenge has closed. */
export function isPublic(row: Pick<SubmissionRow, "published_at">): boolean {
  return row.published_at !== null;
}
