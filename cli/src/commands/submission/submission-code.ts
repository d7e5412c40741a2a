import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "../../context.ts";
import type { CodeOutcome } from "../../snapshot/send/send-code.ts";
import { codeFolder } from "../../snapshot/store/code-folder.ts";
import { chooseCode } from "../../submit/choose-code.ts";
import type { PreparedCode } from "../../submit/prepare-code.ts";
import type { SubmitFlags } from "../submit.ts";
import type { CommandSession } from "./command-session.ts";
import { type CodePlan, planCode, reportCode, reportCodeOutcome } from "./report-code.ts";
import type { ProgressView } from "./show-progress.ts";

/** The code of one `crowdai submit`, from the snapshot, which is taken while the input is read, to what became of it. */
export interface SubmissionCode {
  /** Throws what is wrong with the code. */
  taken(): Promise<PreparedCode | undefined>;
  tell(): void;
  plan(): CodePlan | null;
  /** Waits until the code is sent, or known not to come through. */
  settled(): Promise<CodeOutcome | null>;
  /** The same without waiting. */
  outcomeSoFar(): Promise<CodeOutcome | null>;
  /** Waits, says what went wrong, sends what earlier commands left behind, and closes. Never throws. */
  finish(): Promise<void>;
}

/** Throws code_required, code_off and usage before anything is read. */
export function startSubmissionCode(
  context: Context,
  { session, challenge, route }: CommandSession,
  flags: SubmitFlags,
  view: ProgressView,
): SubmissionCode {
  const { env, cwd, settings, terminal, client } = context;
  const { code, publish, message, allowSecrets } = flags;
  const chosen = chooseCode(challenge!, { code, publish, project: settings.project, cwd, env });
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const taking = chosen
    ? take().then(
        (taken) => ({ taken }),
        (failure: unknown) => ({ failure }),
      )
    : Promise.resolve({ taken: undefined });
  let along: PreparedCode | undefined;
  let settled: CodeOutcome | null = null;

  async function take(): Promise<PreparedCode> {
    const { prepareCode } = await import("../../submit/prepare-code.ts");
    const participant = session.opening.participant.name;
    const key = await context.key();
    const { broker } = route;
    return prepareCode({
      chosen: chosen!,
      challenge: challenge!,
      participant,
      broker,
      key,
      client,
      message,
      allowSecrets,
      env,
      signal,
    });
  }
  const wait = async () => {
    settled = (await along?.settle()) ?? null;
    return settled;
  };
  return {
    async taken() {
      const result = await taking;
      if ("failure" in result) throw result.failure;
      along = result.taken;
      return along;
    },
    tell() {
      if (along) reportCode(terminal, along.snapshot, chosen!);
    },
    plan: () => (along ? planCode(along.snapshot, publish ?? false) : null),
    settled: wait,
    outcomeSoFar: async () => settled,
    async finish() {
      if (!along) stop.abort();
      const result = await taking;
      if (along?.begun() && !settled) view.say("Sending the code");
      const outcome = await wait();
      view.stop();
      reportCodeOutcome(terminal, outcome);
      if ("taken" in result) result.taken?.close();
      if (outcome?.state === "stored") await sendEarlier();
    },
  };

  /** What earlier commands could not send. */
  async function sendEarlier(): Promise<void> {
    const { sendAwaited } = await import("../../snapshot/send/send-code.ts");
    const key = await context.key();
    const options = { codeFolder: codeFolder(env), broker: route.broker, env, key, signal };
    for (const outcome of await sendAwaited(options).catch(() => [])) reportCodeOutcome(terminal, outcome);
  }
}

/** `submit --code predictions.csv` names no folder but the file to submit. */
export function fileAfterCode(
  { cwd }: Context,
  args: { file?: string },
  flags: SubmitFlags,
): { args: { file?: string }; flags: SubmitFlags } {
  const { code, json } = flags;
  if (typeof code !== "string" || args.file !== undefined || json !== undefined) return { args, flags };
  const isFile = code === "-" || statSync(resolve(cwd, code), { throwIfNoEntry: false })?.isFile();
  return isFile ? { args: { file: code }, flags: { ...flags, code: true } } : { args, flags };
}
