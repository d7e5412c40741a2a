import { statSync } from "node:fs";
import { resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Connection } from "../../connection/connection.ts";
import type { CodeOutcome } from "../../snapshot/send/code-outcome.ts";
import { codeFolder } from "../../snapshot/store/code-folder.ts";
import { chooseCode } from "../../submit/choose-code.ts";
import type { PreparedCode } from "../../submit/prepare-code.ts";
import type { Io } from "../../terminal/io.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { type CodePlan, planCode } from "../submission/code-plan.ts";
import type { CommandSession } from "../submission/command-session.ts";
import type { ProgressView } from "../submission/show-progress.ts";
import { reportCode, reportCodeOutcome } from "./report-code.ts";

/** The flags of `crowdai submit` that are about code. */
export interface CodeFlags {
  code?: string | boolean;
  publish?: boolean;
  message?: string;
  allowSecrets?: boolean;
}

/**
 * The code of one `crowdai submit`, from the snapshot, which is taken while the input is read, to its
 * arrival.
 */
export interface SubmissionCode {
  /** Waits for the snapshot. Throws what prepareCode throws. */
  taken(): Promise<PreparedCode | undefined>;
  /** Shows which code is included. */
  report(): void;
  plan(): CodePlan | null;
  /** The command of crowdai.json that runs the code. */
  command(): readonly string[] | null;
  /** Waits until the code is sent or has failed. */
  settled(): Promise<CodeOutcome | null>;
  /** Returns the outcome if it is known already. */
  outcomeSoFar(): CodeOutcome | null;
  /** Waits, reports failures, sends code that earlier commands could not send, and closes. Never throws. */
  finish(): Promise<void>;
}

interface CodeMeans {
  io: Pick<Io, "env" | "cwd" | "signal">;
  connection: Pick<Connection, "settings" | "client" | "key">;
  terminal: Terminal;
  view: ProgressView;
  /** Whether the code is the submission itself. */
  isInput: boolean;
}

/** Starts to take the snapshot. Throws code_required, code_off and usage before anything is read. */
export function startSubmissionCode(
  { session, challenge, route }: CommandSession,
  flags: CodeFlags,
  { io, connection, terminal, view, isInput }: CodeMeans,
): SubmissionCode {
  const { env, cwd } = io;
  const { settings, client } = connection;
  const { code, publish, message, allowSecrets } = flags;
  const chosen = chooseCode(challenge!, { code, publish, project: settings.project, cwd, env, isInput });
  const stop = new AbortController();
  const signal = AbortSignal.any([io.signal, stop.signal]);
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
    const key = await connection.key();
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
    report() {
      if (along) reportCode(terminal, along.snapshot, chosen!);
    },
    plan: () => (along ? planCode(along.snapshot, publish ?? false) : null),
    command: () => chosen?.command ?? null,
    settled: wait,
    outcomeSoFar: () => settled,
    async finish() {
      if (!along) stop.abort();
      const result = await taking;
      const waiting = wait();
      const isSent = await Promise.race([waiting.then(() => true), nextTurn(false)]);
      if (along?.begun() && !isSent) view.say("Sending the code");
      const outcome = await waiting;
      view.stop();
      // Without code that the challenge requires, the submission failed with this reason.
      const isRequired = isInput || challenge!.code.capture === "required";
      const isReported = outcome?.state === "refused" && isRequired;
      if (!isReported) reportCodeOutcome(terminal, outcome);
      if ("taken" in result) result.taken?.close();
      if (outcome?.state === "stored") await sendEarlier();
    },
  };

  /** Sends the code that earlier commands could not send. */
  async function sendEarlier(): Promise<void> {
    const { sendAwaited } = await import("../../snapshot/send/send-code.ts");
    const key = await connection.key();
    const options = { codeFolder: codeFolder(env), broker: route.broker, env, key, signal };
    for (const outcome of await sendAwaited(options).catch(() => [])) reportCodeOutcome(terminal, outcome);
  }
}

/** Takes `submit --code predictions.csv` as the file to submit, not as a folder with code. */
export function fileAfterCode<Flags extends CodeFlags & { json?: string }>(
  cwd: string,
  args: { file?: string },
  flags: Flags,
): { args: { file?: string }; flags: Flags } {
  const { code, json } = flags;
  if (typeof code !== "string" || args.file !== undefined || json !== undefined) return { args, flags };
  const isFile = code === "-" || statSync(resolve(cwd, code), { throwIfNoEntry: false })?.isFile();
  return isFile ? { args: { file: code }, flags: { ...flags, code: true } } : { args, flags };
}
