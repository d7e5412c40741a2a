import type { SubmissionEvent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { iso } from "../../base/clock.ts";
import { DEADLINES } from "../../domain/submissions/deadlines.ts";
import { appendEvents } from "../../domain/submissions/events.ts";
import { updateBoards } from "../../domain/submissions/update-boards.ts";
import { writeFailure, writeGrade } from "../../domain/submissions/write-outcome.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { SentGrade } from "./sent-grade.ts";

/**
 * Writes an external grader's verdict, whatever the submission's state was, and replaces every part of the
 * earlier grade. From then on the submission is the external grader's, and our own attempts are fenced off.
 * Requires the locks of the submission and participant.
 */
export async function writeStatus(
  trx: Db,
  config: ChallengeConfig,
  row: SubmissionRow,
  grade: SentGrade,
  now: Date,
): Promise<SubmissionEvent[]> {
  // A call that only repeats that the submission is waiting keeps its queue position.
  const isInQueue = (row.state === "submitted" || row.state === "grading") && row.outside_status === null;
  if (isInQueue && row.attempt > 0 && grade.status === "submitted") return [];
  const open = await reopen(trx, row, grade, now);
  const events = await writeVerdict(trx, config, open, grade, now);
  if (row.state === "graded" && grade.status !== "graded") await updateBoards(trx, row);
  return events;
}

async function writeVerdict(
  trx: Db,
  config: ChallengeConfig,
  row: SubmissionRow,
  { status, score, secondary, message }: SentGrade,
  now: Date,
): Promise<SubmissionEvent[]> {
  switch (status) {
    case "graded": {
      const outcome = {
        ok: true as const,
        score,
        score_secondary: secondary,
        message,
        meta: {},
        data: null,
        media: null,
        artifacts: row.artifacts === null ? [] : JSON.parse(row.artifacts),
        evaluator_version: "outside",
      };
      const events = await writeGrade(trx, config, row, outcome, now);
      // An external grader sends meta as a parameter of its own, so a grade does not change it.
      await trx.updateTable("submissions").set({ meta: row.meta }).where("id", "=", row.id).execute();
      return events;
    }
    case "failed":
      return writeFailure(trx, row, { code: "rejected", message: message ?? "" }, now);
    case "submitted":
    case "initiated": {
      await trx
        .updateTable("submissions")
        .set({ grading_message: message, seq: row.seq + 1 })
        .where("id", "=", row.id)
        .execute();
      const text = status === "initiated" ? "Grading has started." : "Waiting for the organizer's grader.";
      return appendEvents(trx, row, iso(now), [{ type: "log", data: { message: message ?? text } }]);
    }
  }
}

/**
 * Reverts every earlier verdict and reserves the slot again: the submission waits for the external grader.
 */
async function reopen(trx: Db, row: SubmissionRow, grade: SentGrade, now: Date): Promise<SubmissionRow> {
  await trx
    .updateTable("attempts")
    .set({ state: "lost", finished_at: iso(now) })
    .where("submission", "=", row.id)
    .where("state", "in", ["waiting", "started"])
    .execute();
  await trx
    .updateTable("regrade_items")
    .set({ state: "done", deadline_at: null, result: "kept", reason: "graded outside meanwhile" })
    .where("submission", "=", row.id)
    .where("regrade", "in", (eb) => eb.selectFrom("regrades").select("id").where("state", "=", "running"))
    .execute();
  await trx
    .updateTable("slots")
    .set({ state: "reserved", settled_at: null, reason: null })
    .where("submission", "=", row.id)
    .execute();
  return trx
    .updateTable("submissions")
    .set({
      state: "submitted",
      outside_status: grade.status,
      accepted_at: row.accepted_at ?? iso(now),
      finished_at: null,
      deadline_at: iso(now.getTime() + DEADLINES.outside),
      score: null,
      score_secondary: null,
      sort_primary: null,
      sort_secondary: null,
      grading_message: null,
      rank: null,
      rank_before: null,
      best: null,
      error_code: null,
      error_message: null,
    })
    .where("id", "=", row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
