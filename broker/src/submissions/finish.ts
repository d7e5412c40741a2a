import { type ErrorCode, catalogue as errors, type Outcome, type SubmissionEvent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { iso } from "../clock.ts";
import { ALL_BOARDS, countsLate, isPrevious, takeBoards } from "../leaderboard/boards.ts";
import { type Movement, moveStanding, sortKeys, updateStanding } from "../leaderboard/standings.ts";
import { queueMedia } from "../media/media-work.ts";
import type { Db } from "../records/records.ts";
import type { SlotRow, SubmissionRow } from "../records/tables.ts";
import { appendEvents } from "./events.ts";

type Graded = Extract<Outcome, { ok: true }>;

const WITHHELD = {
  score: null,
  score_secondary: null,
  message: "The dry run passed.",
  data: null,
  artifacts: [],
  media: null,
  media_dropped: null,
};

/** Writes a grade: the submission, its slot, the leaderboard and the event, in the caller's transaction. */
export async function writeGrade(
  trx: Db,
  config: ChallengeConfig,
  row: SubmissionRow,
  outcome: Graded,
  now: Date,
): Promise<SubmissionEvent[]> {
  const ranked = row.function === "submit" && row.dry_run === 0;
  const grade = gradeColumns(config, row, outcome);
  await trx
    .updateTable("submissions")
    .set({
      state: "graded",
      finished_at: iso(now),
      deadline_at: null,
      ...grade,
      seq: row.seq + 1,
    })
    .where("id", "=", row.id)
    .execute();
  if (ranked) await settleSlot(trx, row.id, "charged", "graded", now);
  if (told(row, outcome).media) await queueMedia(trx, row, outcome.media, now);
  const place = ranked ? await updateBoards(trx, row) : null;
  return appendEvents(trx, row, iso(now), [
    {
      type: "graded",
      data: { score: grade.score, score_secondary: grade.score_secondary, ...(place ?? {}) },
    },
  ]);
}

/** A dry run takes no slot: told its score, or shown a picture of it, anybody could measure against the answers without a limit. */
export function told(
  row: Pick<SubmissionRow, "function" | "dry_run">,
  outcome: Graded,
): typeof WITHHELD | Graded {
  return row.function === "submit" && row.dry_run === 1 ? WITHHELD : outcome;
}

/** What a grade writes into its submission's record, but for the state. */
export function gradeColumns(
  config: ChallengeConfig,
  row: Pick<SubmissionRow, "function" | "dry_run">,
  outcome: Graded,
) {
  const ranked = row.function === "submit" && row.dry_run === 0;
  const { score, score_secondary, message, data, artifacts, media_dropped } = told(row, outcome);
  const keys = ranked
    ? sortKeys(config, outcome.score, outcome.score_secondary)
    : { sort_primary: null, sort_secondary: null };
  return {
    score,
    score_secondary,
    ...keys,
    grading_message: message,
    data: data === undefined || data === null ? null : JSON.stringify(data),
    meta: JSON.stringify(outcome.meta),
    artifacts: JSON.stringify(artifacts),
    media_dropped: media_dropped ?? null,
    evaluator_version: outcome.evaluator_version,
  };
}

/** Keeps all boards true after one of a participant's submissions changed; returns the movement on the one it counts on. */
export async function updateBoards(trx: Db, row: SubmissionRow) {
  const { challenge, round, participant_id: participantId } = row;
  const border = await takeBoards(trx, row);
  const boards = ALL_BOARDS.filter(
    (board) =>
      (countsLate(board) || row.post_challenge === 0) &&
      (!isPrevious(board) || (border !== null && row.created_at <= border)),
  );
  let movement: Movement | null = null;
  for (const board of boards) {
    const place = { challenge, round, board, participantId, until: isPrevious(board) ? border : null };
    if (movement) await updateStanding(trx, place);
    else movement = await moveStanding(trx, place);
  }
  // A baseline counts for nobody: it moves no place.
  const counted = row.baseline === 1 ? null : movement;
  const place = {
    rank: counted?.rank ?? null,
    rank_before: counted?.rankBefore ?? null,
    best: counted?.submission === row.id,
  };
  await trx
    .updateTable("submissions")
    .set({ ...place, best: place.best ? 1 : 0 })
    .where("id", "=", row.id)
    .execute();
  return place;
}

/**
 * Ends a submission without a grade. The slot is charged only when the participant's own input was refused, or came too late,
 * and when somebody may be grading what is cancelled.
 */
export async function writeFailure(
  trx: Db,
  row: SubmissionRow,
  error: { code: ErrorCode; message: string; evaluator_version?: string | null },
  now: Date,
): Promise<SubmissionEvent[]> {
  const verdict = error.code === "rejected" || error.code === "round_not_open";
  const state = error.code === "cancelled" ? "cancelled" : "failed";
  await trx
    .updateTable("submissions")
    .set({
      state,
      finished_at: iso(now),
      deadline_at: null,
      error_code: error.code,
      error_message: error.message,
      evaluator_version: error.evaluator_version ?? null,
      seq: row.seq + 1,
    })
    .where("id", "=", row.id)
    .execute();
  // An outside grader cannot be told to stop: what it has counts as being graded.
  const begun = row.state === "grading" || row.outside_status !== null;
  const charged = verdict || (error.code === "cancelled" && begun);
  await settleSlot(trx, row.id, charged ? "charged" : "returned", error.code, now);
  const { fault } = errors[error.code] ?? errors.unexpected;
  return appendEvents(trx, row, iso(now), [
    {
      type: state,
      data: { code: error.code, fault, message: error.message, slot: charged ? "charged" : "returned" },
    },
  ]);
}

async function settleSlot(
  trx: Db,
  submission: string,
  state: SlotRow["state"],
  reason: string,
  now: Date,
): Promise<void> {
  await trx
    .updateTable("slots")
    .set({ state, reason, settled_at: iso(now) })
    .where("submission", "=", submission)
    .where("state", "=", "reserved")
    .execute();
}
