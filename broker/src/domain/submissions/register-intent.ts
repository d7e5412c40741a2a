import { CrowdaiError, type Intent, isFinal, type Receipt } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { commit } from "../../records/commit.ts";
import type { Db } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import { requireAgreement } from "../agreements/agreements.ts";
import type { Caller } from "../participants/api-keys.ts";
import { requireNotDisqualified } from "../participants/disqualifications.ts";
import { requireNotClosed } from "../publishing/close-challenge.ts";
import { addPublishRequest, requirePublishable } from "../publishing/publish-requests.ts";
import { requireAcceptedCode } from "../rules/accepted-code.ts";
import { requireAcceptedInput, requireAcceptedValue } from "../rules/accepted-input.ts";
import { requireAcceptedModels } from "../rules/accepted-models.ts";
import { requireAcceptedRun } from "../rules/accepted-run.ts";
import { requireParallel, requireSlot } from "../rules/limits.ts";
import { requireQualification } from "../rules/qualification.ts";
import { type TargetRound, targetRound } from "../rules/target-round.ts";
import { requireTrials } from "../rules/trials.ts";
import { requireVisible } from "../rules/visibility.ts";
import { recordParts } from "./announced-parts.ts";
import {
  type DescribedInput,
  describeInput,
  idTaken,
  isSameContent,
  requireSame,
} from "./described-input.ts";
import {
  findFreeOrOwn,
  lockSubmission,
  participantLock,
  submissionWithId,
  writeSubmission,
} from "./find-submission.ts";
import { insertSubmission, reserveSlot } from "./insert-submission.ts";
import { requireSameModels } from "./models.ts";
import { type ReceiptNeeds, receipt } from "./receipt.ts";
import { requireCallCapacity, requireFunction } from "./register-call.ts";
import type { Needs } from "./services.ts";
import { codeLock, readCode, recordAnnouncedCode } from "./submission-code.ts";

/** The services that registering an intent uses. */
export type IntentNeeds = ReceiptNeeds & Needs<"catalog" | "webapp" | "announce" | "dispatchSoon">;

/**
 * Registers the intent to submit: this is the arrival time, and takes the slot. A value inside the message is
 * accepted in the same commit. Repeating an id with the same content, any number of times at once, returns
 * the same receipt; with other content it throws id_conflict. `known` is the latest result of
 * `findFreeOrOwn`.
 */
export async function registerIntent(
  context: IntentNeeds,
  caller: Caller,
  intent: Intent,
  known: SubmissionRow | undefined,
): Promise<Receipt> {
  const { config } = context.catalog.get(intent.challenge);
  const input = describeInput(intent);
  if (known) return repeated(context, caller, intent, input, known);
  try {
    return await registerNew(context, config, caller, intent, input);
  } catch (error) {
    if (!(error instanceof CrowdaiError)) throw error;
    // A repeated message may be rejected for the very slot that its twin has just taken, or for a decision
    // that came after its twin.
    const twin = await findFreeOrOwn(context.records.db, caller, intent.id);
    if (!twin) throw error;
    return repeated(context, caller, intent, input, twin);
  }
}

async function registerNew(
  context: IntentNeeds,
  config: ChallengeConfig,
  caller: Caller,
  intent: Intent,
  input: DescribedInput,
): Promise<Receipt> {
  await requireVisible(context, config, caller);
  await requireNotDisqualified(context.records.db, config.id, caller.id);
  requireFunction(config, intent.function);
  if (intent.publish) {
    requirePublishable(intent);
    await requireAgreement(context.records.db, context, caller);
  }
  const arrival = context.clock();
  const target = targetRound(config, intent.round, arrival);
  if (!target.postChallenge) await requireNotClosed(context.records.db, config.id);
  requireAcceptedInput(config, intent.input, input.input_size);
  requireAcceptedRun(config, intent);
  requireAcceptedCode(config, intent);
  if (intent.input.kind === "inline") requireAcceptedValue(config, intent.input.data, intent.function);
  requireAcceptedModels(config, intent);

  const takesSlot = intent.function === "submit" && !intent.dry_run;
  if (takesSlot) {
    const { id, challenge, message } = intent;
    await context.webapp.open({ id, challenge, message, caller }, () =>
      requireRules(context.records.db, config, target, caller.id, arrival),
    );
  }

  const written = await commit(context.records, "register-intent", async (trx) => {
    await context.records.lock(trx, `submission:${intent.id}`);
    const raced = await submissionWithId(trx, { id: intent.id });
    if (raced) return { row: raced, events: null };
    await context.records.lock(trx, participantLock({ participant_id: caller.id, challenge: config.id }));
    if (takesSlot) await requireRules(trx, config, target, caller.id, arrival);
    else if (intent.function === "submit") await requireParallel(trx, config, target.round, caller.id);
    else {
      await requireCallCapacity(trx, caller.id, 1);
      const trial = { function: intent.function, participantId: caller.id, more: 1 };
      await requireTrials(trx, config, trial, arrival);
    }
    const inserted = await insertSubmission(trx, config, caller, target, arrival, intent, input);
    await recordParts(trx, intent);
    if (intent.code) {
      await context.records.lock(trx, codeLock(inserted.row));
      await recordAnnouncedCode(trx, config, intent, inserted.row, arrival);
    }
    if (takesSlot) await reserveSlot(trx, inserted.row, arrival);
    if (intent.publish) inserted.row = await addPublishRequest(trx, intent.id, true, arrival);
    return inserted;
  });
  if (written.events === null) return repeated(context, caller, intent, input, written.row);
  // With code, it may have to wait for the code, or be sent with it.
  if (written.row.state === "submitted") context.dispatchSoon(intent.code ? undefined : written.row);
  context.announce(config.id, written.events);
  return receipt(context, written.row, {
    participant: caller,
    slot: takesSlot ? "reserved" : null,
    disqualified: null,
    code: intent.code ? await readCode(context.records.db, intent.id) : undefined,
    run: null,
    environment: null,
    scoreFinal: null,
    selected: false,
  });
}

async function requireRules(
  db: Db,
  config: ChallengeConfig,
  target: TargetRound,
  participantId: number,
  arrival: Date,
): Promise<void> {
  await requireQualification(db, config, target, participantId);
  await requireSlot(db, config, target.round, participantId, arrival);
}

async function repeated(
  context: IntentNeeds,
  caller: Caller,
  intent: Intent,
  input: DescribedInput,
  row: SubmissionRow,
): Promise<Receipt> {
  requireSame(caller, intent, input, row);
  await requireSameModels(context.records.db, intent, row);
  if (!intent.code || (isFinal(row.state) && isSameContent(input, row))) return receipt(context, row);
  const { code } = intent;
  // Sent again after the tree changed: until code has arrived, the newer snapshot counts.
  const current = await commit(context.records, "repeated", async (trx) => {
    const now = await lockSubmission(context.records, trx, row.id);
    await context.records.lock(trx, codeLock(row));
    if (!isSameContent(input, now)) await replaceContent(trx, now, input);
    if (isFinal(now.state)) return now;
    const { config } = context.catalog.get(intent.challenge);
    requireAcceptedRun(config, intent);
    requireAcceptedCode(config, intent);
    await recordAnnouncedCode(trx, config, { ...intent, code }, now, context.clock());
    return { ...now, ...input };
  });
  // The code may be one that is stored already.
  context.dispatchSoon();
  return receipt(context, current);
}

/**
 * Replaces submitted code that has not arrived by what was announced later. Throws id_conflict once it has.
 */
async function replaceContent(trx: Db, row: SubmissionRow, input: DescribedInput): Promise<void> {
  const known = (await readCode(trx, row.id))!;
  if (isFinal(row.state) || known.state !== "awaited") throw idTaken(row.id);
  await writeSubmission(trx, { id: row.id, ...input });
}
