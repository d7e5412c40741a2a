import {
  type ErrorCode,
  catalog as errors,
  type Outcome,
  type StoredFile,
  type SubmissionEvent,
} from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Updateable } from "kysely";
import { iso } from "../../base/clock.ts";
import type { Db } from "../../records/records.ts";
import { statement } from "../../records/statement.ts";
import type { SlotRow, SubmissionRow, Tables } from "../../records/tables.ts";
import { maxSelected, startFinalBoard, updateFinalStanding } from "../leaderboard/final-board.ts";
import { writeFinalScore } from "../leaderboard/final-scores.ts";
import { sortKeys } from "../leaderboard/standings.ts";
import { mediaOfResult } from "../media/media-keys.ts";
import { queueMedia } from "../media/media-work.ts";
import { noteEndedUpload } from "./ended-uploads.ts";
import { appendEvents, type NewEvent } from "./events.ts";
import { writeSubmission } from "./find-submission.ts";
import { columnsOf, type Moved, moveOnBoards, standingWith, updateBoards } from "./update-boards.ts";
import { isVerdict } from "./verdicts.ts";

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

/**
 * Writes a grade: the submission, its slot, the leaderboard and the event, in the caller's transaction.
 * `lead` are events to write just before.
 */
export async function writeGrade(
  trx: Db,
  config: ChallengeConfig,
  row: SubmissionRow,
  outcome: Graded,
  now: Date,
  lead: readonly NewEvent[] = [],
): Promise<SubmissionEvent[]> {
  const ranked = row.function === "submit" && row.dry_run === 0;
  const grade = gradeColumns(config, row, outcome);
  const changed = {
    state: "graded" as const,
    finished_at: iso(now),
    deadline_at: null,
    ...grade,
    seq: row.seq + lead.length + 1,
  };
  // A submission that an external grader reopened may already have a place.
  const isFirst = row.state !== "graded" && row.outside_status === null && row.baseline === 0;
  let moved: Moved | null = null;
  if (ranked && isFirst) {
    moved = await moveOnBoards(trx, row, standingWith(row, grade));
    Object.assign(changed, columnsOf(moved.place));
  }
  await writeSubmission(trx, { id: row.id, ...changed });
  if (ranked && !isFirst) moved = await updateBoards(trx, row);
  if (moved) await writeFinal(trx, config, row, outcome.score_final ?? null, moved.finals);
  if (ranked) await settleSlot(trx, row.id, "charged", "graded", now);
  if (visibleOutcome(row, outcome).media) await queueMedia(trx, row, outcome.media, now);
  return appendEvents(trx, row, iso(now), [
    ...lead,
    {
      type: "graded",
      data: { score: grade.score, score_secondary: grade.score_secondary, ...(moved?.place ?? {}) },
    },
  ]);
}

/** Stores the final score of a grade, which no event and no column of the submission contains. */
async function writeFinal(
  trx: Db,
  config: ChallengeConfig,
  row: SubmissionRow,
  score: number | null,
  finals: number,
): Promise<void> {
  // Without final scores in the round, there is none of an earlier grade either.
  if (score === null && finals === 0 && row.post_challenge === 0) return;
  await writeFinalScore(trx, config, { challenge: row.challenge, submission: row.id }, score);
  if (row.post_challenge === 1) return;
  if (finals > 0) await updateFinalStanding(trx, row, finals);
  else if (row.baseline === 0) await startFinalBoard(trx, row, maxSelected(config));
}

/**
 * Hides the result of a dry run. A dry run takes no slot: its score or media would let participants probe the
 * answers without a limit.
 */
export function visibleOutcome(
  row: Pick<SubmissionRow, "function" | "dry_run">,
  outcome: Graded,
): typeof WITHHELD | Graded {
  return row.function === "submit" && row.dry_run === 1 ? WITHHELD : outcome;
}

/** Returns the columns that a grade writes to its submission, except the state. */
export function gradeColumns(
  config: ChallengeConfig,
  row: Pick<SubmissionRow, "function" | "dry_run">,
  outcome: Graded,
) {
  const ranked = row.function === "submit" && row.dry_run === 0;
  const { score, score_secondary, message, data, artifacts, media_dropped } = visibleOutcome(row, outcome);
  const keys = ranked
    ? sortKeys(config, outcome.score, outcome.score_secondary)
    : { sort_primary: null, sort_secondary: null };
  return {
    score,
    score_secondary,
    ...keys,
    grading_message: message,
    data: data == null ? null : JSON.stringify(data),
    meta: JSON.stringify(outcome.meta),
    artifacts: JSON.stringify(artifacts),
    media_dropped: media_dropped ?? null,
    // A job factory stored its media itself.
    ...("job_factory" in config.evaluator ? mediaOfResult(data) : null),
    evaluator_version: outcome.evaluator_version,
  };
}

/** Why a submission ends without a grade. */
export interface Failure {
  code: ErrorCode;
  message: string;
  evaluator_version?: string | null;
  artifacts?: readonly StoredFile[] | null | undefined;
  /** Whether the slot is charged; by default, the code decides. */
  charge?: boolean | null | undefined;
  /** The problems that a check found. */
  data?: unknown;
}

/**
 * Ends a submission without a grade. The slot is charged only when the verdict is on the participant's own
 * input, when it came too late, or when a cancelled submission may already be in grading.
 */
export async function writeFailure(
  trx: Db,
  row: SubmissionRow,
  error: Failure,
  now: Date,
  lead: readonly NewEvent[] = [],
): Promise<SubmissionEvent[]> {
  const verdict = isVerdict(error.code) || error.code === "round_not_open";
  const state = error.code === "cancelled" ? "cancelled" : "failed";
  await writeSubmission(trx, {
    id: row.id,
    state,
    finished_at: iso(now),
    deadline_at: null,
    ...failureColumns(error),
    seq: row.seq + lead.length + 1,
  });
  await noteEndedUpload(trx, row, now);
  // An external grader cannot be stopped: its submissions count as being graded.
  const begun = row.state === "grading" || row.outside_status !== null;
  const charged = error.charge ?? (verdict || (error.code === "cancelled" && begun));
  await settleSlot(trx, row.id, charged ? "charged" : "returned", error.code, now);
  const { fault } = errors[error.code] ?? errors.unexpected;
  return appendEvents(trx, row, iso(now), [
    ...lead,
    {
      type: state,
      data: { code: error.code, fault, message: error.message, slot: charged ? "charged" : "returned" },
    },
  ]);
}

/** Returns the columns that a failure writes to its submission, except the state. */
export function failureColumns({ code, message, evaluator_version, data, artifacts }: Failure) {
  return {
    error_code: code,
    error_message: message,
    evaluator_version: evaluator_version ?? null,
    ...(data != null && { data: JSON.stringify(data) }),
    ...(artifacts && { artifacts: JSON.stringify(artifacts) }),
  };
}

async function settleSlot(
  trx: Db,
  submission: string,
  state: SlotRow["state"],
  reason: string,
  now: Date,
): Promise<void> {
  await writeSlot(trx, { submission, state, reason, settled_at: iso(now) });
}

const writeSlot = statement(
  (trx, { submission, ...settled }: { submission: string } & Updateable<Tables["slots"]>) =>
    trx
      .updateTable("slots")
      .set(settled)
      .where("submission", "=", submission)
      .where("state", "=", "reserved"),
);
