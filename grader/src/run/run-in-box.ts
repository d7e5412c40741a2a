import { constants } from "node:os";
import type { Writable } from "node:stream";
import type { StageRecord } from "@crowdai/shared";
import { createTail } from "../base/tail.ts";
import type { BoxPlan, BoxUsage, Sandbox, TakeFile } from "../box/sandbox.ts";

/** Of each stream of a program, what is kept for people. */
const MAX_LOG_BYTES = 64 * 1024;
/** Of each stream, where it is not the output. */
export const MAX_PRINTED_BYTES = 64 * 1024 * 1024;
/** A program that only claimed to have exited is killed after this time. */
const CLOSE_MS = 1000;

/** Speaks with a running program through its pipes. */
export interface Dialogue {
  /** Called once. `stop` kills the program. */
  begin(stdin: Writable, stop: () => void): void;
  onStdout(chunk: Buffer): void;
  /** Called when the program is gone, and all its output was read. */
  finish(): Promise<void>;
}

export interface BoxRun {
  sandbox: Sandbox;
  plan: Omit<BoxPlan, "stdin">;
  /** Without it, the program has nothing to read, and its output is only a log. */
  dialogue?: Dialogue;
  /** The files of /out go there. */
  collect?: { folder: string; take: TakeFile };
  maxPrintedBytes: number;
  /** Whether stdout is only a dialogue, of which nothing is kept for people. */
  dropsStdout?: boolean;
  signal: AbortSignal;
}

/** How a program ended in its box. */
export interface BoxRunEnd {
  ended: StageRecord["ended"];
  /** Null unless the program exited by itself. */
  exitCode: number | null;
  signal: string | null;
  usage: BoxUsage;
  printedBytes: number;
  /** Whether all files were taken out of the box. */
  collected: boolean;
  scratchFull: boolean;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program in a box to its end. Throws when the machine fails, and the reason of the signal on abort.
 */
export async function runInBox(run: BoxRun): Promise<BoxRunEnd> {
  const { signal, dialogue, collect, maxPrintedBytes } = run;
  signal.throwIfAborted();
  const box = run.sandbox.start({ ...run.plan, stdin: "pipe" });
  const abort = () => box.kill();
  signal.addEventListener("abort", abort, { once: true });
  let stopped = false;
  const stop = () => {
    stopped = true;
    box.kill();
  };

  const tails = { stdout: createTail(MAX_LOG_BYTES), stderr: createTail(MAX_LOG_BYTES) };
  const printed = { stdout: 0, stderr: 0 };
  let failure: unknown = null;
  for (const name of ["stdout", "stderr"] as const)
    box[name].on("data", (chunk: Buffer) => {
      printed[name] += chunk.length;
      if (name === "stderr" || !run.dropsStdout) tails[name].add(chunk);
      const limit = name === "stdout" ? maxPrintedBytes : MAX_PRINTED_BYTES;
      if (printed[name] > limit) return stop();
      if (name !== "stdout" || stopped) return;
      try {
        dialogue?.onStdout(chunk);
      } catch (error) {
        // The disk of the grader is full, or fails.
        failure ??= error;
        stop();
      }
    });
  if (dialogue) dialogue.begin(box.stdin!, stop);
  else box.stdin!.end();

  await box.exited;
  let collected = true;
  if (collect)
    collected = await box.collect(collect.folder, collect.take).catch((error) => {
      failure ??= error;
      return false;
    });
  box.close();
  const late = setTimeout(box.kill, CLOSE_MS);
  const end = await box.ended;
  clearTimeout(late);
  signal.removeEventListener("abort", abort);
  await dialogue?.finish();
  signal.throwIfAborted();
  if (failure !== null) throw failure;
  if (end.cause === "not_started")
    throw Object.assign(new Error(`the box did not start: ${end.detail}`), { code: "EAGAIN" });

  const signalName = end.cause === "exit" ? signalOf(end.code) : null;
  return {
    ended: stopped ? "output" : end.cause === "exit" && signalName !== null ? "signal" : end.cause,
    exitCode: !stopped && end.cause === "exit" && signalName === null ? end.code : null,
    signal: signalName,
    usage: end.usage,
    printedBytes: printed.stdout,
    collected,
    scratchFull: end.scratchFull,
    stdout: tails.stdout.text(),
    stderr: tails.stderr.text(),
  };
}

function signalOf(code: number | null): string | null {
  if (code === null || code <= 128) return null;
  return Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0] ?? null;
}
