import { type Intent, plainText, type SubmissionEvent } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { iso } from "../../base/clock.ts";
import { SUBMISSION_COLUMNS } from "../../records/columns.ts";
import type { Db } from "../../records/records.ts";
import { insertion, lookup } from "../../records/statement.ts";
import type { NewSubmission, SubmissionRow } from "../../records/tables.ts";
import type { Caller } from "../participants/api-keys.ts";
import type { TargetRound } from "../rules/target-round.ts";
import { DEADLINES } from "./deadlines.ts";
import type { DescribedInput } from "./described-input.ts";
import { appendEvents } from "./events.ts";
import { insertModels } from "./models.ts";

/** Writes a new submission with its first events. A complete one is accepted in the same commit. */
export async function insertSubmission(
  trx: Db,
  config: ChallengeConfig,
  caller: Caller,
  target: TargetRound,
  arrival: Date,
  intent: Pick<Intent, "id" | "function" | "dry_run" | "message"> &
    Partial<Pick<Intent, "models" | "sealed_at">>,
  input: DescribedInput,
): Promise<{ row: SubmissionRow; events: SubmissionEvent[] }> {
  const at = iso(arrival);
  const hasBytes = input.input_data === null && input.input_kind !== "session";
  const models = intent.models ?? [];
  const isHere = !hasBytes && models.length === 0;
  const types = isHere ? (["initiated", "submitted"] as const) : (["initiated"] as const);
  const values: NewSubmission = {
    id: intent.id,
    challenge: config.id,
    participant_id: caller.id,
    member: caller.member ?? null,
    round: target.round.id,
    function: intent.function,
    state: isHere ? "submitted" : "initiated",
    message: intent.message === null ? null : plainText(intent.message),
    ...(intent.sealed_at ? { sealed_at: iso(Date.parse(intent.sealed_at)) } : {}),
    dry_run: intent.dry_run ? 1 : 0,
    post_challenge: target.postChallenge ? 1 : 0,
    ...input,
    input_key: hasBytes ? `submissions/${config.id}/${intent.id}/input` : null,
    created_at: at,
    accepted_at: isHere ? at : null,
    deadline_at: iso(arrival.getTime() + (isHere ? DEADLINES.submitted : DEADLINES.initiated)),
    attempt: isHere ? 1 : 0,
    starts: 0,
    seq: types.length,
    model_count: models.length,
  };
  const row = (await insertRow(trx, values))!;
  await insertModels(trx, row, models);
  if (isHere) await addAttempt(trx, intent.id, 1);
  const events = await appendEvents(
    trx,
    { id: intent.id, seq: 0 },
    at,
    types.map((type) => ({ type })),
  );
  return { row, events };
}

const insertRow = lookup((trx, values: NewSubmission) =>
  trx.insertInto("submissions").values(values).returning(SUBMISSION_COLUMNS),
);
const insertAttempts = insertion("attempts");
const insertSlots = insertion("slots");

/** Adds an attempt that waits to be queued. */
export async function addAttempt(
  trx: Db,
  submission: string,
  number: number,
  regrade: number | null = null,
): Promise<void> {
  await insertAttempts(trx, [
    { submission, number, state: "waiting", published_at: null, delivery: 0, accepted: 0, regrade },
  ]);
}

/** Reserves the slot, from the arrival of the intent. */
export async function reserveSlot(trx: Db, row: SubmissionRow, arrival: Date): Promise<void> {
  await insertSlots(trx, [
    {
      submission: row.id,
      participant_id: row.participant_id,
      challenge: row.challenge,
      round: row.round,
      post_challenge: row.post_challenge,
      state: "reserved",
      reserved_at: iso(arrival),
    },
  ]);
}
