import { createHash } from "node:crypto";
import { createSubmissionId, type Intent, intentSchema, MAX_INLINE_BYTES, toJsonText } from "@crowdai/shared";
import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import type { Caller } from "../domain/participants/api-keys.ts";
import { requireKind } from "../domain/rules/accepted-input.ts";
import { type CallNeeds, registerCall } from "../domain/submissions/register-call.ts";
import { type IntentNeeds, registerIntent } from "../domain/submissions/register-intent.ts";
import { type Bytes, type StoreInputNeeds, storeInput } from "../domain/submissions/store-input.ts";
import type { PlannedJob } from "./plan-call.ts";
import type { LegacyUploads } from "./uploads.ts";

/** The services that submitting for a legacy client uses. */
export type SubmitServices = IntentNeeds & CallNeeds & StoreInputNeeds;

/** The caller of a submission, and the uploads that it may refer to. */
export interface SubmitContext {
  context: SubmitServices;
  uploads: LegacyUploads;
  caller: Caller;
  config: ChallengeConfig;
}

/** Submits one job, under all the rules of a modern submission. Resolves with its id once it is accepted. */
export async function submitJob(at: SubmitContext, job: PlannedJob): Promise<string> {
  if (!("fileKey" in job) && job.function !== "submit") return (await submitJobs(at, [job]))[0] as string;
  // The sizes of files and values mean nothing where code or a session is the submission.
  if (at.config.run || at.config.environment) requireKind(at.config, "fileKey" in job ? "file" : "inline");
  const id = createSubmissionId();
  const intent = { id, challenge: at.config.id, round: job.round, message: null };
  const { input, bytes } = await inputOf(at, job);
  const whole = intentSchema.parse({ ...intent, function: job.function, dry_run: job.dryRun, input });
  await registerIntent(at.context, at.caller, whole, undefined);
  if (bytes) await storeInput(at, id, bytes);
  return id;
}

/**
 * Submits values for a function of the evaluator, all or none, in one commit. Resolves with their ids, in
 * order.
 */
export async function submitJobs(
  { context, caller, config }: SubmitContext,
  jobs: PlannedJob[],
): Promise<string[]> {
  const items = jobs.map((job) => ({
    id: createSubmissionId(),
    data: "value" in job ? job.value : null,
  }));
  const [{ function: name, dryRun: dry_run, round }] = jobs as [PlannedJob];
  await registerCall(context, caller, { challenge: config.id, round, function: name, dry_run, items });
  return items.map(({ id }) => id);
}

async function inputOf(
  { context, uploads, caller, config }: SubmitContext,
  job: PlannedJob,
): Promise<{ input: Intent["input"]; bytes: (() => Promise<Bytes>) | null }> {
  if ("fileKey" in job) {
    const { key, size, sha256 } = await uploads.find(caller.id, job.fileKey);
    const isFile = config.accepts.file !== undefined;
    // The client sends no file name, but evaluators and rules depend on the extension.
    const name = isFile ? `submission${config.accepts.file?.extensions[0] ?? ""}` : null;
    return {
      input: { kind: isFile ? "file" : "json", name, size, sha256 },
      bytes: () => context.objects.get(key),
    };
  }
  const text = Buffer.from(toJsonText(job.value));
  if (text.length <= MAX_INLINE_BYTES) return { input: { kind: "inline", data: job.value }, bytes: null };
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { input: { kind: "json", name: null, size: text.length, sha256 }, bytes: async () => text };
}
