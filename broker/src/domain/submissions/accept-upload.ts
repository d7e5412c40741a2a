import { asCrowdaiError, CrowdaiError, parseJson, type Receipt } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import { iso } from "../../base/clock.ts";
import { commit } from "../../records/commit.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { Caller } from "../participants/api-keys.ts";
import { requireAcceptedValue } from "../rules/accepted-input.ts";
import { announcedObject, forgetParts, removeUnaccepted } from "./announced-parts.ts";
import { DEADLINES } from "./deadlines.ts";
import { appendEvents } from "./events.ts";
import { findSubmission, lockSubmission } from "./find-submission.ts";
import { addAttempt } from "./insert-submission.ts";
import { announcedModel, readModels } from "./models.ts";
import { type ReceiptNeeds, receipt } from "./receipt.ts";
import type { Needs } from "./services.ts";
import { writeFailure } from "./write-outcome.ts";

/** The services that accepting an upload uses. */
export type AcceptNeeds = ReceiptNeeds & Needs<"catalog" | "log" | "metrics" | "announce" | "dispatchSoon">;

/**
 * Accepts a submission once its bytes and those of its models have arrived: verifies size and digest,
 * commits, then answers. Repeating it is harmless. Throws upload_missing (the upload must continue),
 * digest_mismatch, and the value_ errors for a large JSON value.
 */
export async function acceptUpload(context: AcceptNeeds, caller: Caller, id: string): Promise<Receipt> {
  const row = await findSubmission(context.records.db, caller, id);
  if (row.state !== "initiated") {
    if (row.state === "cancelled" || row.accepted_at === null)
      throw new CrowdaiError(row.error_code ?? "cancelled", row.error_message ?? undefined);
    return receipt(context, row);
  }
  const { input_key: key } = row;
  if (key !== null) {
    const announced = await announcedObject(context.records.db, row);
    await markedStep("upload.finish-input", () => context.objects.finishUpload(key, announced));
    if (row.input_kind === "json") await requireValueOf(context, row, key);
  }
  for (const model of await readModels(context.records.db, row))
    await markedStep("upload.finish-model", () =>
      context.objects.finishUpload(model.key, announcedModel(model)),
    );

  const written = await commit(context.records, "accept-upload", async (trx) => {
    const now = await lockSubmission(context.records, trx, id);
    if (now.state !== "initiated") return { row: now, events: [] };
    const at = iso(context.clock());
    const events = await appendEvents(trx, now, at, [{ type: "submitted" }]);
    await addAttempt(trx, id, 1);
    await forgetParts(trx, now);
    const accepted = await trx
      .updateTable("submissions")
      .set({
        state: "submitted",
        accepted_at: at,
        deadline_at: iso(Date.parse(at) + DEADLINES.submitted),
        attempt: 1,
        seq: now.seq + 1,
      })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    return { row: accepted, events };
  });
  // Cancelled or expired while its last bytes were being verified.
  if (written.row.accepted_at === null) await removeUnaccepted(context, written.row);
  if (written.events.length > 0) context.metrics.uploaded(row.input_size);
  context.announce(row.challenge, written.events);
  context.dispatchSoon();
  return receipt(context, written.row);
}

/**
 * Checks a value that was uploaded as an object against the schema; an invalid one fails the submission and
 * returns the slot.
 */
async function requireValueOf(context: AcceptNeeds, row: SubmissionRow, key: string): Promise<void> {
  try {
    const { config } = context.catalog.get(row.challenge);
    requireAcceptedValue(config, await readValue(context, row, key), row.function);
  } catch (thrown) {
    const error = asCrowdaiError(thrown);
    if (error.fault !== "you") throw thrown;
    const ended = await commit(context.records, "require-value-of", async (trx) => {
      const now = await lockSubmission(context.records, trx, row.id);
      const failure = { ...error.toBody(), data: problemsOf(error) };
      const events = now.state === "initiated" ? await writeFailure(trx, now, failure, context.clock()) : [];
      return { events, accepted_at: now.accepted_at };
    });
    context.announce(row.challenge, ended.events);
    if (ended.accepted_at === null) await removeUnaccepted(context, row);
    throw error;
  }
}

/** The problems that a check found, which are stored with the submission. */
function problemsOf({ code, details }: CrowdaiError): unknown {
  return code === "check_failed" ? { problems: details!.problems, total: details!.total } : null;
}

async function readValue(context: Needs<"objects">, row: SubmissionRow, key: string): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of await context.objects.get(key)) chunks.push(chunk);
  return parseJson(decoded(row, Buffer.concat(chunks)));
}

function decoded({ id }: SubmissionRow, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new CrowdaiError("value_not_json", `The value of ${id} is not UTF-8 text.`);
  }
}
