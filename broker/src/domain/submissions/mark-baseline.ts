import { CrowdaiError, plainText } from "@crowdai/shared";
import { commit } from "../../records/commit.ts";
import type { Records } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { lockSubmission, participantLock, standingsLock } from "./find-submission.ts";
import { columnsOf, updateBoards } from "./update-boards.ts";

/**
 * Marks a submission as a baseline, or (null) as its participant's entry again. A baseline appears on the
 * board without a rank, and does not count for the participant's own place.
 */
export async function markBaseline(
  records: Records,
  id: string,
  baseline: { comment: string | null } | null,
): Promise<SubmissionRow> {
  return commit(records, "mark-baseline", async (trx) => {
    const row = await lockSubmission(records, trx, id);
    if (row.function !== "submit" || row.dry_run === 1)
      throw new CrowdaiError("usage", `${id} cannot appear on a leaderboard.`);
    await records.lock(trx, participantLock(row));
    await records.lockShared(trx, standingsLock(row.challenge));
    const marked = await trx
      .updateTable("submissions")
      .set({
        baseline: baseline ? 1 : 0,
        baseline_comment: baseline?.comment ? plainText(baseline.comment) : null,
      })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    if (marked.state !== "graded") return marked;
    return { ...marked, ...columnsOf((await updateBoards(trx, marked)).place) };
  });
}
