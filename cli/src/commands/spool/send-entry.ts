import { CrowdaiError, isFinal, type PublicChallenge, type Submission } from "@crowdai/shared";
import { ensureAgreement } from "../../agreement/ask-agreement.ts";
import { readSubmission } from "../../client/http/broker-queries.ts";
import type { HttpClient } from "../../client/http/http-client.ts";
import { inspectFile } from "../../client/upload/byte-source.ts";
import type { Connection } from "../../connection/connection.ts";
import type { Manifest } from "../../spool/manifest.ts";
import type { VerifiedEntry } from "../../spool/verify-entry.ts";
import { requireCodeAccepted, runsCode } from "../../submit/check-input.ts";
import { checkRound } from "../../submit/check-round.ts";
import { inputOfCode } from "../../submit/code-input.ts";
import { requireGraded } from "../../submit/grade.ts";
import { prepareModels } from "../../submit/models.ts";
import type { PreparedCode } from "../../submit/prepare-code.ts";
import { describeText, type SubmissionInput } from "../../submit/submission-input.ts";
import { submitInput } from "../../submit/submit-input.ts";
import type { Io } from "../../terminal/io.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { reportCodeOutcome } from "../code/report-code.ts";
import { prepareRead } from "../input/prepare-input.ts";
import { type InputRead, interpretFile, interpretStdin, readJsonText } from "../input/read-input.ts";
import type { CommandSession } from "../submission/command-session.ts";
import type { ProgressView } from "../submission/show-progress.ts";

export interface Sent {
  submission: Submission;
  /** Whether an earlier sync had it accepted, here or on another machine. */
  earlier: boolean;
  /** Whether its code still has to be sent. */
  codeAwaited: boolean;
}

export interface SendMeans {
  io: Io;
  connection: Pick<Connection, "settings" | "key">;
  terminal: Terminal;
  folder: string;
  http: HttpClient;
  open: (challenge: string) => Promise<CommandSession>;
  view: ProgressView;
}

/**
 * Sends a sealed submission, unless it was accepted before: its id is that of the entry, so that any number
 * of syncs make it once. Throws what refuses it.
 */
export async function sendEntry(entry: VerifiedEntry, means: SendMeans): Promise<Sent> {
  const { manifest } = entry;
  const { id, known } = await idToSend(manifest.id, means);
  // Cancelled, or failed, before the broker had all of it.
  if (known && isFinal(known.state) && known.accepted_at === null) requireGraded(known);
  const isMissingCode = manifest.code !== null && known?.code?.state === "awaited";
  if (known && known.state !== "initiated" && !isMissingCode)
    return { submission: known, earlier: true, codeAwaited: false };
  const opened = await means.open(manifest.challenge);
  const challenge = opened.session.opening.challenge!;
  // Once it is registered, its round and its agreement are settled.
  if (!known) await requireRules(entry, challenge, opened, means);
  const code = await openCode(entry, challenge, opened, id, means);
  try {
    const offer = await offerOf(entry, challenge, code, means);
    const submission = await submitInput(opened.session, offer, {
      ...opened.route,
      id,
      round: manifest.round ?? undefined,
      message: manifest.message ?? undefined,
      publish: manifest.publish,
      sealedAt: manifest.sealed_at,
      models: await modelsOf(entry, challenge, means),
      code: code ?? undefined,
      wait: false,
      // A cancelled id could never be sent again.
      keepsRefused: true,
      onProgress: means.view.progress,
    }).catch(acceptedIn);
    const outcome = (await code?.settle()) ?? null;
    means.view.stop();
    reportCodeOutcome(means.terminal, outcome);
    const earlier = known !== null && known.state !== "initiated";
    return { submission, earlier, codeAwaited: outcome?.state === "awaited" };
  } finally {
    code?.close();
  }
}

/** Returns the submission of an error about its outcome: it was accepted all the same. */
function acceptedIn(failure: unknown): Submission {
  const submission = failure instanceof CrowdaiError ? failure.details?.submission : null;
  if (typeof submission === "object" && (submission as Submission | null)?.accepted_at)
    return submission as Submission;
  throw failure;
}

/** How many uploads of one submission may run into the broker's deadline. */
const MAX_ATTEMPTS = 9;
const NEVER_ARRIVED: readonly string[] = ["upload_abandoned", "code_missing"];

/**
 * Returns the id to send, and the submission that has it. An upload that was begun and not finished within
 * days has used up its id: the next one is made of it, the same on every machine.
 */
async function idToSend(
  sealed: string,
  { http, io }: SendMeans,
): Promise<{ id: string; known: Submission | null }> {
  let id = sealed;
  for (let attempt = 1; ; attempt++) {
    const known = await readSubmission(http, id, io.signal).catch((failure) => {
      if (failure instanceof CrowdaiError && failure.code === "submission_unknown") return null;
      throw failure;
    });
    if (!NEVER_ARRIVED.includes(known?.error?.code ?? "") || attempt > MAX_ATTEMPTS) return { id, known };
    id = `${sealed.slice(0, 60)}-${attempt + 1}`;
  }
}

async function requireRules(
  { manifest }: VerifiedEntry,
  challenge: PublicChallenge,
  { session }: CommandSession,
  { io, terminal, http, connection, view }: SendMeans,
): Promise<void> {
  const runs = challenge.run !== null || challenge.environment !== null;
  if (!manifest.input) requireCodeAccepted(challenge);
  else if (runs) throw runsCode(challenge);
  checkRound(challenge, manifest.round ?? undefined);
  if (challenge.code.capture === "required" && !manifest.code)
    throw new CrowdaiError("code_required", `${challenge.id} requires the code of each submission.`, {
      next: "Seal it again with --code.",
    });
  if (!manifest.publish || session.opening.agreed) return;
  view.stop();
  await ensureAgreement({ io, terminal, http, broker: connection.settings });
}

/** Opens the sealed code. A challenge without code gets none that only crowdai.json asked for. */
async function openCode(
  entry: VerifiedEntry,
  challenge: PublicChallenge,
  { session, route }: CommandSession,
  id: string,
  { folder, connection, io }: SendMeans,
): Promise<PreparedCode | null> {
  const { code } = entry.manifest;
  if (!code) return null;
  if (challenge.code.capture === "off" && entry.manifest.input) {
    if (code.because === "config") return null;
    throw new CrowdaiError("code_off", `${challenge.id} does not accept code.`);
  }
  const { openSealedCode } = await import("../../spool/sealed-code.ts");
  return openSealedCode({
    entry,
    folder,
    code,
    id,
    broker: route.broker,
    participant: session.opening.participant.name,
    key: await connection.key(),
    env: io.env,
    signal: io.signal,
  });
}

async function offerOf(
  entry: VerifiedEntry,
  challenge: PublicChallenge,
  code: PreparedCode | null,
  { io, view, http }: SendMeans,
): Promise<SubmissionInput> {
  const { input, code: sealed } = entry.manifest;
  if (!input) return inputOfCode(challenge, code!.snapshot, sealed!.command);
  const { offer } = await prepareRead(await readSealed(entry.path, input, challenge), challenge, {
    io,
    view,
    http,
  });
  return offer;
}

async function readSealed(
  path: string,
  input: NonNullable<Manifest["input"]>,
  challenge: PublicChallenge,
): Promise<InputRead> {
  const { accepts } = challenge;
  const name = input.from === "file" ? input.name : `stdin${accepts.file?.extensions[0] ?? ""}`;
  const facts = await inspectFile(`${path}/${input.file}`, name);
  if (input.from === "file") return interpretFile(facts, challenge);
  if (input.from === "stdin") return interpretStdin(facts, challenge);
  const most = accepts.json?.max_bytes ?? Number.MAX_SAFE_INTEGER;
  return { offered: describeText(await readJsonText(facts, most, "The sealed value")), facts: null };
}

function modelsOf({ path, manifest }: VerifiedEntry, challenge: PublicChallenge, { io, view }: SendMeans) {
  const files = manifest.models.map(({ file, name }) => ({ file: `${path}/${file}`, name }));
  const onProgress = (done: number, total: number) => view.progress({ stage: "hashing", done, total });
  return prepareModels(challenge, files, { signal: io.signal, onProgress });
}
