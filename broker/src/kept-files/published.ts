import type { SubmissionRow } from "../records/tables.ts";

/** Whether everybody may read what is kept with a submission: its author had it published, and the challenge has closed. */
export function isPublic(row: SubmissionRow): boolean {
  // The column comes with publishing; without it nothing is public.
  return ((row as { published_at?: string | null }).published_at ?? null) !== null;
}
