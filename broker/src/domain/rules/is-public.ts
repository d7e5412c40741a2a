import type { SubmissionRow } from "../../records/tables.ts";

/**
 * Returns whether everyone may read a submission's files: its author published it, and the challenge has
 * closed.
 */
export function isPublic(row: Pick<SubmissionRow, "published_at">): boolean {
  return row.published_at !== null;
}
