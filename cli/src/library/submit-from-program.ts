import type { Submission } from "@crowdai/shared";
import type { HttpClient } from "../client/http/http-client.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import { inspectFile } from "../client/upload/byte-source.ts";
import { withOutcome } from "../snapshot/send/code-outcome.ts";
import { checkInput, requireCodeAccepted } from "../submit/check-input.ts";
import { inputOfCode } from "../submit/code-input.ts";
import { type ModelFile, prepareModels } from "../submit/models.ts";
import { submitResumable } from "../submit/resumable.ts";
import type { Checkable } from "../submit/run-check.ts";
import {
  describeValue,
  inputOfFile,
  inputOfValue,
  type SubmissionInput,
} from "../submit/submission-input.ts";
import { type SubmitInputOptions, submitInput } from "../submit/submit-input.ts";
import { type ProgramCode, type ProgramCodeOptions, prepareProgramCode } from "./code-from-program.ts";

/** A submission made by a program with the library. */
interface ProgramSubmitOptions extends Omit<SubmitInputOptions, "code">, ProgramCodeOptions {
  /** Folder for notes about unfinished submissions. */
  journal?: string;
  http: HttpClient;
  /** Whether the check of the challenge is tried first. Default: true. */
  check?: boolean;
  modelFiles?: readonly (ModelFile | string)[];
}

export async function submitValue(
  session: BrokerSession,
  value: unknown,
  options: ProgramSubmitOptions,
): Promise<Submission> {
  const described = describeValue(value);
  await checkInput(session.opening.challenge!, described);
  await checkFirst(session, { value: described.value }, options);
  return submitPrepared(session, inputOfValue(described), options);
}

export async function submitFile(
  session: BrokerSession,
  path: string,
  options: ProgramSubmitOptions & { name?: string },
): Promise<Submission> {
  const facts = await inspectFile(path, options.name);
  await checkInput(session.opening.challenge!, { kind: "file", ...facts });
  await checkFirst(session, facts, options);
  const onProgress = (done: number, total: number) => options.onProgress?.({ stage: "hashing", done, total });
  return submitPrepared(session, inputOfFile(facts, { signal: options.signal, onProgress }), options);
}

async function checkFirst(
  session: BrokerSession,
  input: Checkable,
  { check, http, signal }: Pick<ProgramSubmitOptions, "check" | "http" | "signal">,
): Promise<void> {
  const challenge = session.opening.challenge!;
  if (check === false || !challenge.check) return;
  const { runCheck } = await import("../submit/run-check.ts");
  await runCheck(challenge, input, { http, signal });
}

export async function submitCode(
  session: BrokerSession,
  options: ProgramSubmitOptions & { command?: readonly string[] },
): Promise<Submission> {
  const challenge = session.opening.challenge!;
  requireCodeAccepted(challenge);
  return submitPrepared(
    session,
    (code) => inputOfCode(challenge, code!.snapshot, options.command ?? code!.command),
    { ...options, isInput: true },
  );
}

type OfCode = (code: ProgramCode | undefined) => SubmissionInput;

async function submitPrepared(
  session: BrokerSession,
  making: Promise<SubmissionInput> | SubmissionInput | OfCode,
  options: ProgramSubmitOptions,
): Promise<Submission> {
  const taking = prepareProgramCode(session, options);
  const named = (options.modelFiles ?? []).map((model) =>
    typeof model === "string" ? { file: model } : model,
  );
  const offering = prepareModels(session.opening.challenge!, named, { signal: options.signal });
  const offer = typeof making === "function" ? taking.then(making) : making;
  const [offered, models, taken] = await Promise.allSettled([offer, offering, taking]);
  const code = taken.status === "fulfilled" ? taken.value : undefined;
  const failed = [offered, models, taken].find((one) => one.status === "rejected");
  if (offered.status === "rejected" || models.status === "rejected" || failed) {
    code?.close();
    throw (failed as PromiseRejectedResult).reason;
  }
  const { journal: folder, http, id } = options;
  const submitting = { ...options, models: models.value, code };
  try {
    const submission =
      folder === undefined || id !== undefined
        ? await submitInput(session, offered.value, submitting)
        : await submitResumable(session, offered.value, { ...submitting, journal: { folder, http } });
    return code ? withOutcome(submission, await code.settle()) : submission;
  } finally {
    const outcome = (await code?.settle()) ?? null;
    code?.close();
    if (code) options.onCode?.(outcome);
  }
}
