import type { PublicChallenge } from "@crowdai/shared";
import type { Context } from "../../context.ts";
import { checkInput, type InputDescription } from "../../submit/checks.ts";
import {
  describeValue,
  inputOfFile,
  inputOfValue,
  type SubmissionInput,
} from "../../submit/submission-input.ts";
import { type InputRead, interpretFile, interpretStdin, type NamedInput } from "./read-input.ts";
import type { ProgressView } from "./show-progress.ts";
import { spool } from "./spool.ts";

/** An input that passed the checks and is ready to be announced. Dispose of it when its bytes are sent. */
export interface Prepared extends AsyncDisposable {
  offered: InputDescription;
  offer: SubmissionInput;
}

/** Reads what was named, as the challenge takes it. Throws what is wrong with it. */
export async function prepareInput(
  context: Context,
  given: NamedInput,
  challenge: PublicChallenge,
  view: ProgressView,
): Promise<Prepared> {
  if (given.from === "stdin") return prepareStdin(context, challenge, view);
  const taken: InputRead =
    given.from === "json"
      ? { offered: describeValue(given.value), facts: null }
      : await interpretFile(given.facts, challenge);
  return { ...(await ready(taken, context, challenge, view)), [Symbol.asyncDispose]: async () => {} };
}

async function prepareStdin(
  context: Context,
  challenge: PublicChallenge,
  view: ProgressView,
): Promise<Prepared> {
  const { stdin, signal, terminal } = context;
  const { file, json } = challenge.accepts;
  if (stdin.isTTY) {
    // What is typed and what moves would be mixed up.
    view.stop();
    terminal.note("Reading standard input until Ctrl-D.");
  }
  const maxBytes = Math.max(file?.max_bytes ?? 0, json ? 4 * json.max_bytes + 1024 : 0);
  const spooled = await spool(stdin, { name: `stdin${file?.extensions[0] ?? ""}`, maxBytes, signal });
  if (stdin.isTTY) view.say(`Submitting standard input to ${challenge.id}`);
  const dispose = () => spooled[Symbol.asyncDispose]();
  try {
    const taken = await interpretStdin(spooled.facts, challenge);
    return { ...(await ready(taken, context, challenge, view)), [Symbol.asyncDispose]: dispose };
  } catch (failure) {
    await dispose();
    throw failure;
  }
}

/** The rules first: a file that is refused need not be read for its digest. */
async function ready(
  taken: InputRead,
  { signal }: Context,
  challenge: PublicChallenge,
  view: ProgressView,
): Promise<{ offered: InputDescription; offer: SubmissionInput }> {
  const { offered } = taken;
  checkInput(challenge, offered);
  if (!taken.facts) return { offered, offer: inputOfValue(taken.offered) };
  const onProgress = (done: number, total: number) => view.progress({ stage: "hashing", done, total });
  return { offered, offer: await inputOfFile(taken.facts, { signal, onProgress }) };
}
