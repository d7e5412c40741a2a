import { type Intent, isFinal, type Receipt } from "@crowdai/shared";
import { requireAgreement } from "../agreements/agreements.ts";
import { codeLock, keepAnnouncedCode } from "../code/announce-code.ts";
import type { Caller } from "../participants/keys.ts";
import { requireNotClosed } from "../publishing/close-challenge.ts";
import { addWish, requirePublishable } from "../publishing/wishes.ts";
import type { SubmissionRow } from "../records/tables.ts";
import { requireAcceptedCode } from "../rules/accepted-code.ts";
import { requireAcceptedInput, requireAcceptedValue } from "../rules/accepted-input.ts";
import { requireInvitation } from "../rules/invitations.ts";
import { requireSlot } from "../rules/limits.ts";
import { requireQualification } from "../rules/qualification.ts";
import { targetRound } from "../rules/target-round.ts";
import { keepParts } from "./announced-parts.ts";
import { requireCallRoom, requireFunction } from "./call.ts";
import type { SubmissionContext } from "./context.ts";
import { type DescribedInput, describeInput, requireSame } from "./described-input.ts";
import { participantLock } from "./find.ts";
import { insertSubmission, reserveSlot } from "./insert.ts";
import { receipt } from "./receipt.ts";

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
  if (intent.publish) {
    requirePublishable(intent);
    await requireAgreement(context.records.db, context, caller.id);
  }
  await requireInvitation(context.records.db, config, caller.id);
  const arrival = context.clock();
  const target = targetRound(config, intent.round, arrival);
  if (!target.postChallenge) await requireNotClosed(context.records.db, config.id);
  requireAcceptedInput(config, intent.input, input.input_size);
  requireAcceptedCode(config, intent);
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
      await requireSlot(trx, config, target.round, caller.id, arrival);
    } else await requireCallRoom(trx, caller.id, 1);
    const inserted = await insertSubmission(trx, config, caller, target, arrival, intent, input);
    await keepParts(trx, intent);
    if (intent.code) {
      await context.records.lock(trx, codeLock(inserted.row));
      await keepAnnouncedCode(trx, config, intent, inserted.row, arrival);
    }
    if (takesSlot) await reserveSlot(trx, inserted.row, arrival);
    if (intent.publish) inserted.row = await addWish(trx, intent.id, true, arrival);
    return inserted;
  });
  if (written.events === null) return repeated(context, caller, intent, input, written.row);
  context.announce(written.events);
  if (written.row.state === "submitted") context.dispatchSoon();
  return receipt(context, written.row);
}

async function repeated(
  context: SubmissionContext,
  caller: Caller,
  intent: Intent,
  input: DescribedInput,
  row: SubmissionRow,
): Promise<Receipt> {
  requireSame(caller, intent, input, row);
  // Sent again from a tree that changed since: as long as no code has come, the newer snapshot counts.
  if (intent.code && !isFinal(row.state))
    await context.records.transaction(async (trx) => {
      const { config } = context.catalogue.get(intent.challenge);
      requireAcceptedCode(config, intent);
      await context.records.lock(trx, codeLock(row));
      await keepAnnouncedCode(trx, config, intent, row, context.clock());
    });
  return receipt(context, row);
}
