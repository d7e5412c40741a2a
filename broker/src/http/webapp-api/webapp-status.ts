import type { OutsideStatus, SubmissionRow } from "../../records/tables.ts";

/** The statuses that a grader may send; `ready` can only be read. */
export const STATUSES = ["graded", "failed", "submitted", "initiated"] as const satisfies OutsideStatus[];
export type ReadStatus = OutsideStatus | "ready";

/** Returns a submission's state in the webapp's terms. While our own graders run it, it is `submitted`. */
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
