import type { PublicChallenge } from "@crowdai/shared";
import type { HttpClient } from "../../client/http/http-client.ts";
import { checkInput, type InputDescription } from "../../submit/check-input.ts";
import type { Checkable, CheckReport } from "../../submit/run-check.ts";
import {
  describeText,
  inputOfFile,
  inputOfValue,
  type SubmissionInput,
} from "../../submit/submission-input.ts";
import type { Io } from "../../terminal/io.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import type { ProgressView } from "../submission/show-progress.ts";
import { type InputRead, interpretFile, interpretStdin, JSON_FLAG, type NamedInput } from "./read-input.ts";
import { spool } from "./spool.ts";

/** An input that passed the checks and is ready to be announced. Dispose of it when its bytes are sent. */
export interface Prepared extends AsyncDisposable {
  offered: InputDescription;
  offer: SubmissionInput;
  /** The result of the challenge's check; empty when it was not asked for. */
  report: CheckReport;
}

interface InputMeans {
  io: Pick<Io, "stdin" | "signal">;
  terminal: Terminal;
  view: ProgressView;
  /** Reads what the check of the challenge needs; without it, the check is left to the grader. */
  http?: HttpClient;
}

/**
 * Reads the named input in the way that the challenge accepts it. Throws a CrowdaiError for a wrong input.
 */
export async function prepareInput(
  given: NamedInput,
  challenge: PublicChallenge,
  means: InputMeans,
): Promise<Prepared> {
  if (given.from === "stdin") return prepareStdin(challenge, means, given.isValue);
  const taken: InputRead =
    given.from === "json"
      ? { offered: describeText(given.text, JSON_FLAG), facts: null }
      : await interpretFile(given.facts, challenge);
  return { ...(await prepareRead(taken, challenge, means)), [Symbol.asyncDispose]: async () => {} };
}

async function prepareStdin(
  challenge: PublicChallenge,
  means: InputMeans,
  isValue: boolean | undefined,
): Promise<Prepared> {
  const { io, terminal, view } = means;
  const { stdin, signal } = io;
  const { file, json } = challenge.accepts;
  if (stdin.isTTY) {
    // The spinner would overwrite what is typed.
    view.stop();
    terminal.note("Reading from standard input. Press Ctrl-D to finish.");
  }
  const maxBytes = Math.max(file?.max_bytes ?? 0, json ? 4 * json.max_bytes + 1024 : 0);
  const spooled = await spool(stdin, { name: `stdin${file?.extensions[0] ?? ""}`, maxBytes, signal });
  if (stdin.isTTY) view.say(`Submitting standard input to ${challenge.id}`);
  const dispose = () => spooled[Symbol.asyncDispose]();
  try {
    const taken = await interpretStdin(spooled.facts, challenge, isValue);
    return { ...(await prepareRead(taken, challenge, means)), [Symbol.asyncDispose]: dispose };
  } catch (failure) {
    await dispose();
    throw failure;
  }
}

/** Checks the rules first, so that a refused file is not read for its digest. */
export async function prepareRead(
  taken: InputRead,
  challenge: PublicChallenge,
  { io: { signal }, view, http }: Pick<InputMeans, "view" | "http"> & { io: Pick<Io, "signal"> },
): Promise<Omit<Prepared, keyof AsyncDisposable>> {
  const { offered } = taken;
  await checkInput(challenge, offered);
  const { facts } = taken;
  const report = await checkOf(challenge, facts ?? { value: taken.offered.value }, http, signal);
  if (!taken.facts) return { offered, report, offer: inputOfValue(taken.offered) };
  const onProgress = (done: number, total: number) => view.progress({ stage: "hashing", done, total });
  return { offered, report, offer: await inputOfFile(taken.facts, { signal, onProgress }) };
}

/** Loads the rules only for a challenge that has some. */
async function checkOf(
  challenge: PublicChallenge,
  input: Checkable,
  http: HttpClient | undefined,
  signal: AbortSignal,
): Promise<CheckReport> {
  if (!challenge.check || !http) return { passed: [], skipped: [] };
  const { runCheck } = await import("../../submit/run-check.ts");
  return runCheck(challenge, input, { http, signal });
}
