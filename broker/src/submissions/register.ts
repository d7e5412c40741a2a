import { createHash } from "node:crypto";
import {
  type Call,
  CrowdaiError,
  INLINE_LIMIT,
  type Intent,
  type Receipt,
  type Submission,
  type SubmissionEvent,
  toJsonText,
} from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { iso } from "../clock.ts";
import type { Caller } from "../participants/keys.ts";
import type { Db } from "../records/records.ts";
import type { NewSubmission, SubmissionRow } from "../records/tables.ts";
import { requireAcceptedInput, requireAcceptedValue } from "../rules/accepted-input.ts";
import { readLimits, requireSlot } from "../rules/limits.ts";
import { requireQualification } from "../rules/qualification.ts";
import { type TargetRound, targetRound } from "../rules/target-round.ts";
import type { SubmissionContext } from "./context.ts";
import { DEADLINES } from "./deadlines.ts";
import { appendEvents } from "./events.ts";
import { participantLock } from "./find.ts";
import { viewSubmission } from "./view.ts";

/** Calls that are not submissions take no slot; this keeps one participant from filling the line. */
const CALLS_AT_ONCE = 2000;

/**
 * Registers the intent to submit: this moment is the arrival time, and takes the slot. A value that travelled in
 * the message is accepted in the same commit. Repeating an id with the same content, once or fifty times at once, gives
 * the same receipt; with other content it throws id_conflict.
 */
export async function registerIntent(
  context: SubmissionContext,
  caller: Caller,
  intent: Intent,
): Promise<Receipt> {
  const { config } = context.catalogue.get(intent.challenge);
  const input = describeInput(intent.input);
  const known = await context.records.db
    .selectFrom("submissions")
    .selectAll()
    .where("id", "=", intent.id)
    .executeTakeFirst();
  if (known) return repeated(context, caller, intent, input, known);

  requireFunction(config, intent.function);
  const arrival = context.clock();
  const target = targetRound(config, intent.round, arrival);
  requireAcceptedInput(config, intent.input, input.input_size);
  if (intent.input.kind === "inline") requireAcceptedValue(config, intent.input.data);

  const written = await context.records.transaction(async (trx) => {
    await context.records.lock(trx, `submission:${intent.id}`);
    const raced = await trx
      .selectFrom("submissions")
      .selectAll()
      .where("id", "=", intent.id)
      .executeTakeFirst();
    if (raced) return { row: raced, events: null };
    await context.records.lock(trx, participantLock({ participant_id: caller.id, challenge: config.id }));
    const takesSlot = intent.function === "submit" && !intent.dry_run;
    if (takesSlot) {
      await requireQualification(trx, config, target, caller.id);
      requireSlot(await readLimits(trx, config, target.round, caller.id, arrival));
    } else await requireCallRoom(trx, caller.id, 1);
    const inserted = await insertSubmission(trx, config, caller, target, arrival, intent, input);
    if (takesSlot) await reserveSlot(trx, inserted.row, arrival);
    return inserted;
  });
  if (written.events === null) return repeated(context, caller, intent, input, written.row);
  context.announce(written.events);
  if (written.row.state === "submitted") context.dispatchSoon();
  return receipt(context, written.row);
}

/** Registers a list of values for a function other than `submit`, all or none. They take no slot and have no leaderboard entry. */
export async function registerCall(
  context: SubmissionContext,
  caller: Caller,
  call: Call,
): Promise<Submission[]> {
  const { config } = context.catalogue.get(call.challenge);
  requireFunction(config, call.function);
  if (call.function === "submit" && !call.dry_run)
    throw new CrowdaiError("usage", 'A call is for functions other than "submit".');
  const arrival = context.clock();
  const target = targetRound(config, call.round, arrival);
  const items = call.items.map(({ id, data }) => ({
    ...call,
    id,
    message: null,
    input: { kind: "inline" as const, data },
    described: describeInput({ kind: "inline", data }),
  }));
  const rows = await context.records.transaction(async (trx) => {
    const known = await trx
      .selectFrom("submissions")
      .selectAll()
      .where(
        "id",
        "in",
        items.map(({ id }) => id),
      )
      .execute();
    const byId = new Map(known.map((row) => [row.id, row]));
    await requireCallRoom(trx, caller.id, items.length - known.length);
    const events: SubmissionEvent[] = [];
    const result: SubmissionRow[] = [];
    for (const item of items) {
      const before = byId.get(item.id);
      if (before) {
        requireSame(caller, item, item.described, before);
        result.push(before);
        continue;
      }
      const inserted = await insertSubmission(trx, config, caller, target, arrival, item, item.described);
      byId.set(item.id, inserted.row);
      events.push(...inserted.events);
      result.push(inserted.row);
    }
    return { result, events };
  });
  context.announce(rows.events);
  context.dispatchSoon();
  return Promise.all(rows.result.map((row) => viewSubmission(context, context.records.db, row)));
}

type DescribedInput = Pick<
  SubmissionRow,
  "input_kind" | "input_name" | "input_size" | "input_sha256" | "input_data"
>;

function describeInput(input: Intent["input"]): DescribedInput {
  if (input.kind !== "inline")
    return {
      input_kind: input.kind,
      input_name: input.name,
      input_size: input.size,
      input_sha256: input.sha256,
      input_data: null,
    };
  const text = toJsonText(input.data);
  const size = Buffer.byteLength(text);
  if (size > INLINE_LIMIT)
    throw new CrowdaiError(
      "message_too_large",
      `A value in the message may have ${INLINE_LIMIT} bytes; this one has ${size}.`,
    );
  return {
    input_kind: "json",
    input_name: null,
    input_size: size,
    input_sha256: createHash("sha256").update(text).digest("hex"),
    input_data: text,
  };
}

async function insertSubmission(
  trx: Db,
  config: ChallengeConfig,
  caller: Caller,
  target: TargetRound,
  arrival: Date,
  intent: Intent,
  input: DescribedInput,
): Promise<{ row: SubmissionRow; events: SubmissionEvent[] }> {
  const at = iso(arrival);
  const inline = input.input_data !== null;
  const types = inline ? (["initiated", "submitted"] as const) : (["initiated"] as const);
  const values: NewSubmission = {
    id: intent.id,
    challenge: config.id,
    participant_id: caller.id,
    round: target.round.id,
    function: intent.function,
    state: inline ? "submitted" : "initiated",
    message: intent.message,
    dry_run: intent.dry_run ? 1 : 0,
    post_challenge: target.postChallenge ? 1 : 0,
    ...input,
    input_key: inline ? null : `submissions/${config.id}/${intent.id}/input`,
    created_at: at,
    accepted_at: inline ? at : null,
    deadline_at: iso(arrival.getTime() + (inline ? DEADLINES.submitted : DEADLINES.initiated)),
    attempt: inline ? 1 : 0,
    starts: 0,
    seq: types.length,
  };
  const row = await trx.insertInto("submissions").values(values).returningAll().executeTakeFirstOrThrow();
  if (inline) await addAttempt(trx, intent.id, 1);
  const events = await appendEvents(
    trx,
    { id: intent.id, seq: 0 },
    at,
    types.map((type) => ({ type })),
  );
  return { row, events };
}

/** A new attempt that waits to be put in line. */
export async function addAttempt(trx: Db, submission: string, number: number): Promise<void> {
  await trx
    .insertInto("attempts")
    .values({ submission, number, state: "waiting", published_at: null, delivery: 0, accepted: 0 })
    .execute();
}

async function reserveSlot(trx: Db, row: SubmissionRow, arrival: Date): Promise<void> {
  await trx
    .insertInto("slots")
    .values({
      submission: row.id,
      participant_id: row.participant_id,
      challenge: row.challenge,
      round: row.round,
      post_challenge: row.post_challenge,
      state: "reserved",
      reserved_at: iso(arrival),
    })
    .execute();
}

async function repeated(
  context: SubmissionContext,
  caller: Caller,
  intent: Intent,
  input: DescribedInput,
  row: SubmissionRow,
): Promise<Receipt> {
  requireSame(caller, intent, input, row);
  return receipt(context, row);
}

function requireSame(
  caller: Caller,
  intent: Pick<Intent, "id" | "challenge" | "function" | "dry_run">,
  input: DescribedInput,
  row: SubmissionRow,
): void {
  const same =
    row.participant_id === caller.id &&
    row.challenge === intent.challenge &&
    row.function === intent.function &&
    row.dry_run === (intent.dry_run ? 1 : 0) &&
    row.input_kind === input.input_kind &&
    row.input_sha256 === input.input_sha256 &&
    row.input_size === input.input_size;
  if (!same)
    throw new CrowdaiError("id_conflict", `The id "${intent.id}" was already used for something else.`);
}

/** The submission as it is now, and where to send the bytes that are still missing. */
export async function receipt(context: SubmissionContext, row: SubmissionRow): Promise<Receipt> {
  const upload =
    row.state === "initiated" && row.input_key
      ? await context.objects.planUpload(row.input_key, { size: row.input_size, sha256: row.input_sha256 })
      : null;
  return { submission: await viewSubmission(context, context.records.db, row), upload };
}

function requireFunction(config: ChallengeConfig, name: string): void {
  const functions = config.evaluator.functions;
  if (functions.includes(name)) return;
  throw new CrowdaiError(
    "function_unknown",
    `${config.id} has no function "${name.slice(0, 100)}"; it has ${functions.map((known) => `"${known}"`).join(", ")}.`,
    { details: { functions } },
  );
}

async function requireCallRoom(db: Db, participantId: number, more: number): Promise<void> {
  const waiting = await db
    .selectFrom("submissions")
    .select("id")
    .where("participant_id", "=", participantId)
    .where("state", "in", ["submitted", "grading"])
    .where("function", "!=", "submit")
    .limit(CALLS_AT_ONCE)
    .execute();
  if (waiting.length + more > CALLS_AT_ONCE)
    throw new CrowdaiError(
      "too_many_requests",
      `${waiting.length} calls of yours wait for their answers; ${CALLS_AT_ONCE} may wait at once.`,
    );
}
