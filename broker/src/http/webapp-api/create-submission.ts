import { createHash } from "node:crypto";
import { CrowdaiError, createSubmissionId, type ErrorCode, type SubmissionEvent } from "@crowdai/shared";
import { type ChallengeConfig, type RoundConfig, roundNumber } from "@crowdai/shared/challenge-folder";
import { iso } from "../../base/clock.ts";
import { findDisqualification } from "../../domain/participants/disqualifications.ts";
import { isInvited } from "../../domain/rules/is-invited.ts";
import { requireSlot } from "../../domain/rules/limits.ts";
import { requireQualification } from "../../domain/rules/qualification.ts";
import { DEADLINES } from "../../domain/submissions/deadlines.ts";
import { appendEvents } from "../../domain/submissions/events.ts";
import { participantLock } from "../../domain/submissions/find-submission.ts";
import { reserveSlot } from "../../domain/submissions/insert-submission.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { writeFailure } from "../../domain/submissions/write-outcome.ts";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { findParticipant, type Manager } from "./callers.ts";
import { roundOfNumber } from "./challenge-numbers.ts";
import { currentRound, isPostChallenge } from "./current-round.ts";
import { readMedia } from "./media-triple.ts";
import { metaText, readMeta } from "./meta.ts";
import type { Parameters } from "./parameters.ts";
import { readGrade } from "./sent-grade.ts";
import { readSlotsLeft, type SlotsLeft, UNKNOWN } from "./slots-left.ts";
import { texts } from "./texts.ts";
import { Refusal } from "./webapp-errors.ts";
import { writeStatus } from "./write-status.ts";

export interface Created extends SlotsLeft {
  message: string;
  /** Null when the call was refused. */
  submission_id: number | null;
}

/** The outcome of a call, and whether it was refused. */
export type CreateAnswer = { status: 202 | 400; body: Created };

/**
 * Creates a submission that an external grader grades. The checks run in the webapp's order, which decides
 * which of several reasons the caller gets, and whether the answer has the slots left. A refused call stores
 * nothing.
 */
export async function createSubmission(
  context: Needs<"records" | "catalog" | "clock" | "announce">,
  manager: Manager,
  parameters: Parameters,
): Promise<CreateAnswer> {
  let slots = UNKNOWN;
  try {
    const now = context.clock();
    const target = await findTarget(context, manager, parameters, now);
    const { participant, config, current } = target;
    const written = await commit(context.records, "create-submission", async (trx) => {
      await context.records.lock(
        trx,
        participantLock({ participant_id: participant.id, challenge: config.id }),
      );
      const mayTake = await requireRules(trx, config, current, participant.id, now);
      slots = await readSlotsLeft(trx, config, current, participant.id, now);
      if (!mayTake) throw new Refusal(texts.noSlots);
      const made = await write(trx, target, parameters, now);
      return { ...made, left: await readSlotsLeft(trx, config, current, participant.id, now) };
    });
    context.announce(config.id, written.events);
    const body = {
      message: texts.scored(participant.name),
      submission_id: written.row.number,
      ...written.left,
    };
    return { status: 202, body };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: 400, body: { message: error.message, submission_id: null, ...slots } };
  }
}

interface Target {
  participant: { id: number; name: string; member?: string };
  config: ChallengeConfig;
  /** The round that the submission goes to. */
  round: string;
  /** The round whose limits and end apply. */
  current: RoundConfig;
}

async function findTarget(
  { records: { db }, catalog }: Needs<"records" | "catalog">,
  manager: Manager,
  parameters: Parameters,
  now: Date,
): Promise<Target> {
  const participant = await findParticipant(db, manager, parameters.text("api_key") ?? "");
  if (!participant) throw new Refusal(texts.participantUnmatched);
  const config = catalog.all().get(parameters.text("challenge_client_name") ?? "")?.config;
  if (!config) throw new Refusal(texts.challengeUnmatched);
  const wanted = parameters.text("challenge_round_id");
  const named = wanted === null ? null : await roundOfNumber(db, config.id, wanted);
  const known = config.rounds.find(({ id }) => id === named);
  if (wanted !== null && !known) throw new Refusal(texts.roundUnknown);
  const current = currentRound(config, now);
  if (!current) throw new Refusal(texts.notOpen);
  if (config.visibility.private && !(await isInvited(db, config.id, participant.id)))
    throw new Refusal(texts.notInvited);
  const disqualified = await findDisqualification(db, config.id, participant.id);
  if (disqualified) throw new Refusal(texts.disqualified(disqualified.reason));
  return { participant, config, round: known?.id ?? current.id, current };
}

const WORDS: Partial<Record<ErrorCode, string>> = {
  not_qualified: texts.notQualified,
  parallel_limit: texts.parallel,
};

/**
 * Returns whether a slot is left. Throws a Refusal when the participant is not qualified or has too many open
 * submissions.
 */
async function requireRules(
  trx: Db,
  config: ChallengeConfig,
  round: RoundConfig,
  participantId: number,
  now: Date,
): Promise<boolean> {
  try {
    const target = { round, number: roundNumber(config, round.id), postChallenge: false };
    await requireQualification(trx, config, target, participantId);
    await requireSlot(trx, config, round, participantId, now);
    return true;
  } catch (error) {
    if (!(error instanceof CrowdaiError)) throw error;
    if (error.code === "no_slots") return false;
    const text = WORDS[error.code];
    throw text === undefined ? error : new Refusal(text);
  }
}

const NOTHING = createHash("sha256").digest("hex");

async function write(
  trx: Db,
  { participant, config, round, current }: Target,
  parameters: Parameters,
  now: Date,
): Promise<{ row: SubmissionRow; events: SubmissionEvent[] }> {
  const isPost = isPostChallenge(current, now, parameters.raw("post_challenge"));
  const media = readMedia(parameters);
  const isRefused = isPost && config.after_end === "reject";
  const grade = isRefused ? null : readGrade(parameters);
  const at = iso(now);
  const row = await trx
    .insertInto("submissions")
    .values({
      id: createSubmissionId(),
      challenge: config.id,
      participant_id: participant.id,
      member: participant.member ?? null,
      round,
      function: "submit",
      state: "submitted",
      outside_status: grade?.status ?? "failed",
      message: parameters.text("description_markdown"),
      dry_run: 0,
      post_challenge: isPost ? 1 : 0,
      // The external grader has the submitted file; the broker has none of its bytes.
      input_kind: "json",
      input_name: null,
      input_size: 0,
      input_sha256: NOTHING,
      input_data: null,
      input_key: null,
      meta: metaText(readMeta(parameters.raw("meta"))),
      ...media,
      created_at: at,
      accepted_at: at,
      deadline_at: iso(now.getTime() + DEADLINES.outside),
      attempt: 0,
      starts: 0,
      seq: 1,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const events = await appendEvents(trx, { ...row, seq: 0 }, at, [{ type: "submitted" }]);
  await reserveSlot(trx, row, now);
  if (!grade)
    events.push(...(await writeFailure(trx, row, { code: "round_not_open", message: texts.late }, now)));
  else if (grade.status !== "submitted" || grade.message !== null)
    events.push(...(await writeStatus(trx, config, row, grade, now)));
  return { row, events };
}
