import type { OutsideStatus, SubmissionRow } from "../../records/tables.ts";

/** What a grader may say; `ready` it may only read. */
export const STATUSES = ["graded", "failed", "submitted", "initiated"] as const satisfies OutsideStatus[];
export type ReadStatus = OutsideStatus | "ready";

/** A submission's state in the webapp's words. What our own graders have in hand is `submitted`. */
export function readStatus({
  state,
  outside_status,
}: Pick<SubmissionRow, "state" | "outside_status">): ReadStatus {
  switch (state) {
    case "initiated":
      return "ready";
    case "submitted":
      return outside_status === "initiated" ? "initiated" : "submitted";
    case "grading":
      return "submitted";
    case "graded":
      return "graded";
    case "failed":
    case "cancelled":
      return "failed";
  }
}
