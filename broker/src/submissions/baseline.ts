import { CrowdaiError } from "@crowdai/shared";
import { updateStanding } from "../leaderboard/standings.ts";
import type { Db, Records } from "../records/records.ts";
import type { SubmissionRow } from "../records/tables.ts";
import { lockSubmission, participantLock, standingsLock } from "./find.ts";

/**
 * Makes a submission a baseline, or an entry of its participant's again (null). A baseline stands on the board without a rank, and the
 * participant's own place is what the other submissions reached.
 */
export async function markBaseline(
  records: Records,
  id: string,
  baseline: { comment: string | null } | null,
): Promise<SubmissionRow> {
  return records.transaction(async (trx) => {
    const row = await lockSubmission(records, trx, id);
    if (row.function !== "submit" || row.dry_run === 1)
      throw new CrowdaiError("usage", `${id} is no submission that could stand on a leaderboard.`);
    await records.lock(trx, participantLock(row));
    await records.lockShared(trx, standingsLock(row.challenge));
    await trx
      .updateTable("submissions")
      .set({ baseline: baseline ? 1 : 0, baseline_comment: baseline?.comment ?? null })
      .where("id", "=", id)
      .execute();
    await placeAnew(trx, row, baseline !== null);
    return trx.selectFrom("submissions").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  });
}

async function placeAnew(trx: Db, row: SubmissionRow, isBaseline: boolean): Promise<void> {
  if (row.state !== "graded") return;
  const boards = row.post_challenge === 1 ? (["ongoing"] as const) : (["current", "ongoing"] as const);
  const { challenge, round, participant_id: participantId } = row;
  const movements = [];
  for (const board of boards)
    movements.push(await updateStanding(trx, { challenge, round, board, participantId }));
  const [movement] = movements;
  const place = isBaseline
    ? { rank: null, rank_before: null, best: null }
    : { rank: movement?.rank ?? null, best: movement?.submission === row.id ? 1 : 0 };
  await trx.updateTable("submissions").set(place).where("id", "=", row.id).execute();
}
