import type { CrowdaiError, SubmissionEvent } from "@crowdai/shared";
import { lockSubmission, participantLock } from "../../domain/submissions/find-submission.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { type Manager, requireManagedChallenge } from "./callers.ts";
import { currentRound } from "./current-round.ts";
import { readMedia, requireObjects } from "./media-triple.ts";
import { mergeMeta, metaOf, metaText, readMeta } from "./meta.ts";
import { findNumberedSubmission } from "./numbered-submission.ts";
import type { Parameters } from "./parameters.ts";
import { readGrade } from "./sent-grade.ts";
import { readSlotsLeft, type SlotsLeft, UNKNOWN } from "./slots-left.ts";
import { texts } from "./texts.ts";
import { Refusal } from "./webapp-errors.ts";
import { writeStatus } from "./write-status.ts";

export interface Updated extends SlotsLeft {
  message: string;
  /** The value as sent when it is not the id of a submission. */
  submission_id: number | string;
}

/**
 * Changes a submission's media, meta, grade and description, each only when sent. No rule of the round
 * applies. A refused call changes nothing. Throws Unauthorized when the submission belongs to a challenge
 * that the caller does not manage.
 */
export async function updateSubmission(
  context: Needs<"records" | "catalog" | "clock" | "objects" | "announce" | "queue" | "log">,
  manager: Manager,
  id: string,
  parameters: Parameters,
): Promise<{ status: 202 | 400; body: Updated }> {
  let slots = UNKNOWN;
  let number: number | string = id;
  try {
    const { db } = context.records;
    const found = await findNumberedSubmission(db, id);
    number = found.number;
    await requireManagedChallenge(db, manager, found.challenge);
    const config = context.catalog.all().get(found.challenge)?.config;
    if (!config) throw new Refusal(texts.challengeUnmatched);
    const now = context.clock();
    slots = await readSlotsLeft(db, config, currentRound(config, now), found.participant_id, now);
    const media = readMedia(parameters);
    if (media) await requireObjects(context.objects, media);
    const changed = await commit(context.records, "update-submission", async (trx) => {
      const row = await lockSubmission(context.records, trx, found.id);
      await context.records.lock(trx, participantLock(row));
      const before = await writeFields(trx, row, parameters, media);
      if (!parameters.isPresent("grading_status")) return null;
      if (row.state === "cancelled") throw new Refusal(texts.cancelled);
      return { row, events: await writeStatus(trx, config, before, readGrade(parameters), now) };
    });
    if (changed) await settle(context, changed.row, changed.events);
    return {
      status: 202,
      body: { message: texts.updated(found.number), submission_id: found.number, ...slots },
    };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: 400, body: { message: error.message, submission_id: number, ...slots } };
  }
}

async function writeFields(
  trx: Db,
  row: SubmissionRow,
  parameters: Parameters,
  media: ReturnType<typeof readMedia>,
): Promise<SubmissionRow> {
  const description = parameters.text("description_markdown");
  const changes: Partial<SubmissionRow> = {
    ...media,
    ...(description === null ? {} : { message: description }),
    ...(parameters.isPresent("meta") ? { meta: metaText(newMeta(row, parameters)) } : {}),
  };
  if (Object.keys(changes).length === 0) return row;
  return trx
    .updateTable("submissions")
    .set(changes)
    .where("id", "=", row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

const newMeta = (row: SubmissionRow, parameters: Parameters) =>
  mergeMeta(metaOf(row.meta), readMeta(parameters.raw("meta")), parameters.isPresent("meta_overwrite"));

async function settle(
  context: Needs<"announce" | "queue" | "log">,
  before: SubmissionRow,
  events: SubmissionEvent[],
): Promise<void> {
  if (events.length === 0) return;
  context.announce(before.challenge, events);
  // The records have decided. An unavailable queue cannot change that, and a late result will be refused.
  if (before.outside_status === null)
    await context.queue.cancel(before.id).catch((error: CrowdaiError) => {
      context.log.warn(
        { event: "job_cancel_failed", submission: before.id, err: error },
        "job cancel failed: its result will be refused",
      );
    });
}
