import { CrowdaiError, type Submission } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { sql } from "kysely";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { maxSelected, updateFinalStanding } from "../leaderboard/final-board.ts";
import { isFinalShown } from "../leaderboard/final-shown.ts";
import type { Caller } from "../participants/api-keys.ts";
import { findSubmission, lockSubmission, participantLock, standingsLock } from "./find-submission.ts";
import type { Needs } from "./services.ts";
import { type ViewNeeds, viewSubmission } from "./view-submission.ts";

/** The services that selecting a submission uses. */
export type SelectionNeeds = ViewNeeds & Needs<"records" | "catalog" | "clock">;

/**
 * Selects the participant's submission for the final ranking of its round, or removes it from the selection.
 * Repeating a choice changes nothing. Throws selection_closed once the round has ended, not_selectable for a
 * submission that cannot count, and selection_full when as many as the challenge allows are selected.
 */
export async function selectFinal(
  context: SelectionNeeds,
  caller: Caller,
  id: string,
  selected: boolean,
): Promise<Submission> {
  const { records, catalog, clock } = context;
  const { challenge } = await findSubmission(records.db, caller, id);
  const { config } = catalog.get(challenge);
  await commit(records, "select-final", async (trx) => {
    const row = await lockSubmission(records, trx, id);
    await records.lock(trx, participantLock(row));
    await records.lockShared(trx, standingsLock(challenge));
    const now = clock();
    await requireOpen(trx, config, row, now);
    const finals = await lockBoards(trx, row);
    if (selected) await add(trx, config, row, finals, iso(now));
    else await remove(trx, row);
    if (finals > 0) await updateFinalStanding(trx, row, finals);
  });
  return viewSubmission(context, records.db, await findSubmission(records.db, caller, id));
}

async function requireOpen(trx: Db, config: ChallengeConfig, row: SubmissionRow, now: Date): Promise<void> {
  const isKnown = config.rounds.some(({ id }) => id === row.round);
  if (isKnown && !(await isFinalShown(trx, config, row.round, now))) return;
  throw new CrowdaiError(
    "selection_closed",
    `Round "${row.round}" of ${config.id} has ended: its selection can no longer change.`,
  );
}

/**
 * Locks the boards of the round. Returns how many submissions the final one considers; 0 while there is none.
 */
async function lockBoards(trx: Db, { challenge, round }: SubmissionRow): Promise<number> {
  const known = await trx
    .updateTable("board_rounds")
    // Nothing that is shown changes: the version stays.
    .set({ version: sql<number>`version` })
    .where("challenge", "=", challenge)
    .where("round", "=", round)
    .returning("finals")
    .executeTakeFirst();
  return known?.finals ?? 0;
}

async function add(
  trx: Db,
  config: ChallengeConfig,
  row: SubmissionRow,
  finals: number,
  now: string,
): Promise<void> {
  const reason = unfit(row);
  if (reason) throw new CrowdaiError("not_selectable", `${row.id} cannot be selected: ${reason}.`);
  if (config.final === null && finals === 0)
    throw new CrowdaiError("not_selectable", `${config.id} has no final scores to select submissions for.`, {
      next: "Its leaderboard shows your best submission.",
    });
  const before = await readSelection(trx, row);
  if (before.includes(row.id)) return;
  const most = maxSelected(config);
  if (before.length >= most)
    throw new CrowdaiError(
      "selection_full",
      `You have selected ${before.join(" and ")} for round "${row.round}" of ${config.id}, which allows ${most}.`,
      {
        next: `Remove one first: \`crowdai select ${before[0]} --remove\`.`,
        details: { selected: before, most },
      },
    );
  await trx
    .insertInto("final_selections")
    .values({ ...keyOf(row), submission: row.id, selected_at: now })
    .execute();
}

/** Returns why a submission cannot be selected; null if it can. */
export function unfit(row: SubmissionRow): string | null {
  if (row.function !== "submit" || row.dry_run === 1) return "it counts on no leaderboard";
  if (row.baseline === 1) return "it is a baseline";
  if (row.post_challenge === 1) return "it was made after the end of its round";
  if (row.state === "failed" || row.state === "cancelled")
    return `it ${row.state === "failed" ? "failed" : "was cancelled"}`;
  return row.state === "graded" ? null : "it is not graded yet";
}

async function remove(trx: Db, row: SubmissionRow): Promise<void> {
  const { challenge, round, participant_id } = keyOf(row);
  await trx
    .deleteFrom("final_selections")
    .where("challenge", "=", challenge)
    .where("round", "=", round)
    .where("participant_id", "=", participant_id)
    .where("submission", "=", row.id)
    .execute();
}

const keyOf = ({ challenge, round, participant_id }: SubmissionRow) => ({ challenge, round, participant_id });

/** Returns the ids of the submissions that the participant selected in the round of one of them. */
async function readSelection(db: Db, row: SubmissionRow): Promise<string[]> {
  const { challenge, round, participant_id } = keyOf(row);
  const rows = await db
    .selectFrom("final_selections")
    .select("submission")
    .where("challenge", "=", challenge)
    .where("round", "=", round)
    .where("participant_id", "=", participant_id)
    .orderBy("selected_at")
    .orderBy("submission")
    .execute();
  return rows.map(({ submission }) => submission);
}
