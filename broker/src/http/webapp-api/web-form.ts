import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { basename } from "node:path/posix";
import { CrowdaiError, type Intent, intentSchema } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import { z } from "zod";
import { noteSubmission } from "../../background/webapp/remote/outbox-rows.ts";
import type { Caller } from "../../domain/participants/api-keys.ts";
import { requireKind } from "../../domain/rules/accepted-input.ts";
import { requireVisible } from "../../domain/rules/visibility.ts";
import { findFreeOrOwn } from "../../domain/submissions/find-submission.ts";
import { type IntentNeeds, registerIntent } from "../../domain/submissions/register-intent.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { type StoreInputNeeds, storeInput } from "../../domain/submissions/store-input.ts";
import { identifyParticipant } from "../../domain/webapp/webapp.ts";

/**
 * The webapp's job for a file that was uploaded in its web form, with the field names of the first graders.
 */
const jobSchema = z.object({
  grader_api_key: z.string(),
  api_key: z.string(),
  challenge_client_name: z.string(),
  function_name: z.literal("grade_submission"),
  dry_run: z.literal("false").default("false"),
  data: z
    .array(
      z.object({
        // The folder of the form's uploads. Participants may submit nothing else of the bucket.
        file_key: z.string().regex(/^submission_files\//, "is not an upload of the web form"),
        submission_id: z.coerce
          .number()
          .int()
          .min(1)
          .max(2 ** 31),
      }),
    )
    .length(1),
});

/** The services that submitting by the web form uses. */
export type WebFormNeeds = IntentNeeds & StoreInputNeeds;

/**
 * Submits a file of the webapp's web form for its participant, by the same rules as any submission. The grade
 * goes to the submission that the webapp has already. Sent again, it is the same submission. Throws
 * not_allowed without the webapp's token.
 */
export async function submitFromWebForm(context: WebFormNeeds, token: string, sent: unknown): Promise<void> {
  requireToken(token, (sent as { grader_api_key?: unknown }).grader_api_key);
  const read = jobSchema.safeParse(sent);
  if (!read.success) throw new CrowdaiError("usage", z.prettifyError(read.error).replace(/\n\s*/g, " "));
  const { api_key, challenge_client_name } = read.data;
  const [{ file_key, submission_id: number }] = read.data.data as [
    { file_key: string; submission_id: number },
  ];
  const { config } = context.catalog.get(challenge_client_name);
  const caller = await identifyParticipant(context.webapp, api_key);
  if (config.run || config.environment) {
    await requireVisible(context, config, caller);
    requireKind(config, "file");
  }
  // The same id for each repetition, which no other client can guess.
  const id = createHmac("sha256", token).update(`web form ${number}`).digest("hex").slice(0, 24);
  const intent = intentSchema.parse({
    id,
    challenge: config.id,
    round: null,
    message: null,
    function: "submit",
    input: await describeUpload(context, config, file_key),
  });
  const known = await findFreeOrOwn(context.records.db, caller, id);
  const isNew = !known && (await noteNumber(context, intent, caller, number));
  try {
    const { submission } = await registerIntent(context, caller, intent, known);
    if (submission.state === "initiated")
      await storeInput({ context, caller }, id, () => context.objects.get(file_key));
  } catch (error) {
    if (isNew) await forgetUnregistered(context, id);
    throw error;
  }
}

function requireToken(token: string, given: unknown): void {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (typeof given !== "string" || !timingSafeEqual(digest(given), digest(token)))
    throw new CrowdaiError(
      "not_allowed",
      "grader_api_key does not match the key that this broker shares with the webapp.",
    );
}

/** Reads the upload from the broker's own store, never from an address, and computes its digest. */
async function describeUpload(
  { objects }: Needs<"objects">,
  { accepts }: ChallengeConfig,
  key: string,
): Promise<Intent["input"]> {
  const kind = accepts.file ? "file" : "json";
  const most = (accepts.file ?? accepts.json)?.max_bytes ?? 0;
  const found = await objects.stat(key);
  if (!found) throw new CrowdaiError("object_missing", "The broker's object store does not have this file.");
  if (found.size > most)
    throw new CrowdaiError("file_too_large", `The file has ${found.size} bytes; the limit is ${most}.`);
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of await objects.get(key)) {
    hash.update(chunk);
    size += chunk.length;
  }
  return {
    kind,
    name: kind === "file" ? nameOf(key) : null,
    size,
    sha256: hash.digest("hex"),
  } as Intent["input"];
}

/** Returns the original name of the file, without the UUID that the form puts before it. */
const nameOf = (key: string) =>
  basename(key).replace(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}_(?=.)/, "");

/**
 * Stores the webapp's number before the submission, so that the outbox opens no second one. Returns whether
 * it was new.
 */
async function noteNumber(
  { records: { db }, clock }: Needs<"records" | "clock">,
  { id, challenge }: Intent,
  caller: Caller,
  number: number,
): Promise<boolean> {
  const other = await db
    .selectFrom("webapp_submissions")
    .select("submission")
    .where("number", "=", number)
    .where("submission", "!=", id)
    .executeTakeFirst();
  if (other)
    throw new CrowdaiError("id_conflict", `Submission ${number} of the webapp was created by this broker.`);
  return noteSubmission(
    db,
    { submission: id, participant_id: caller.id, challenge, number },
    clock().getTime(),
  );
}

/** Removes the number of a refused submission: the response reports the refusal, so the outbox must not. */
async function forgetUnregistered({ records: { db } }: Needs<"records">, id: string): Promise<void> {
  await db
    .deleteFrom("webapp_submissions")
    .where("submission", "=", id)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom("submissions").select("id").where("id", "=", id))),
    )
    .execute();
}
