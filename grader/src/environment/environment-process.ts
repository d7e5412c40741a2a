import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BOX } from "../box/sandbox.ts";
import { createInbox, withoutBoxPaths } from "../evaluators/process/boxed-launch.ts";
import type { Launch } from "../evaluators/process/launch.ts";
import { startProcess } from "../evaluators/process/process.ts";
import { processEndFailure } from "../evaluators/process/process-end.ts";
import {
  isBlank,
  type Line,
  type LiveEvaluatorEvent,
  type ResultEvent,
  readEvent,
} from "../evaluators/protocol/events.ts";
import { RunFailure } from "../run/run-failure.ts";
import { createDeadline } from "./deadline.ts";
import {
  invalid,
  readEventLine,
  readFrameRate,
  readMessage,
  readObservation,
  readSpaces,
  readStep,
  type Spaces,
} from "./environment-messages.ts";
import type { Observed, Outcome } from "./referee.ts";

/** How an environment answered close: with its own result, or by exiting. */
export interface Closed {
  result: ResultEvent | null;
  /** Why the environment rejects what the agent did. */
  rejected: string | null;
}

/**
 * An environment that runs for one session. Its methods are called one after another, and reject with a
 * RunFailure of env_crashed, env_timeout or env_output: the first cause, for this and for all later calls.
 */
export interface Environment {
  /** The folder of the files that its result names. */
  readonly output: string;
  open(about: { round: number; episodes: number }): Promise<Spaces>;
  reset(episode: number, seed: number): Promise<Observed>;
  /** Takes the action as JSON text. */
  step(action: string): Promise<Outcome>;
  close(): Promise<Closed>;
  stderr(): string;
  /** Frames a second, of the video of its session. */
  frameRate(): number;
  /** Kills it, and resolves when nothing of it is left. */
  end(): Promise<void>;
}

export interface EnvironmentOptions {
  launch: Launch;
  id: string;
  /** A folder that does not exist yet, for its home and its files. */
  folder: string;
  resetMs: number;
  stepMs: number;
  closeMs: number;
  /** Whether its result must have a score. */
  needsScore: boolean;
  onEvent(event: LiveEvaluatorEvent): void;
}

/** How long it may run after its result. */
const LINGER_MS = 2000;

const EVENTS: ReadonlySet<unknown> = new Set(["progress", "log", "result", "error"]);

interface Asked {
  type: "open" | "reset" | "step" | "close";
  resolve(value: never): void;
  reject(failure: unknown): void;
}

export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const { launch, id, folder } = options;
  const home = join(folder, "home");
  const output = join(folder, "output");
  for (const dir of [folder, home, output]) await mkdir(dir, { mode: 0o700 });
  const inbox = launch.box ? createInbox(folder) : null;
  let asked: Asked | null = null;
  let failure: unknown = null;
  let result: ResultEvent | null = null;
  let rejected: string | null = null;
  let isClosing = false;
  let limitMs = 0;
  let frameRate = 0;
  const deadline = createDeadline(() => {
    if (result !== null || rejected !== null) return void leave();
    const limit = `${limitMs / 1000} s`;
    fail(
      new RunFailure(
        "env_timeout",
        `it needed more than ${limit}`,
        `no answer to ${asked?.type} after ${limit}`,
      ),
    );
  });

  const child = startProcess({
    ...{ launch, home, stdin: "pipe", onLine: take },
    ...(inbox ? { inbox: inbox.folder, output: () => output } : {}),
    onOutputLimit: (what) => fail(invalid(`printed ${what}`)),
  });
  const head = `{"id":${JSON.stringify(id)},"type":`;

  /** The first cause counts. The request that waits learns it now, not when the process is gone. */
  function fail(found: unknown): void {
    failure ??= found;
    child.kill(true);
    asked?.reject(failure);
    asked = null;
    deadline.set(Number.POSITIVE_INFINITY);
  }

  function take(line: Buffer): void {
    if (failure !== null || isBlank(line)) return;
    try {
      if (isClosing) event(readEventLine(line, id));
      else read(readMessage(line, id, asked?.type ?? null), line);
    } catch (error) {
      fail(error);
    }
  }

  function read(fields: Record<string, unknown>, line: Buffer): void {
    const type = asked?.type;
    if (fields.type === "step" && type === "step") answer(readStep(fields));
    else if (fields.type === "observation" && type === "reset") answer(readObservation(fields));
    else if (fields.type === "spaces" && type === "open") {
      frameRate = readFrameRate(fields);
      answer(readSpaces(fields));
    } else if (EVENTS.has(fields.type)) event({ fields, notFinite: [] });
    else {
      const shown = line.subarray(0, 200).toString("utf8");
      throw invalid("an unexpected message", `not an answer to ${type ?? "anything"}: ${shown}`);
    }
  }

  function event(line: Pick<Line, "fields" | "notFinite">): void {
    const found = readEvent(line, options.needsScore ? "submit" : "");
    if ("kind" in found) throw invalid("an invalid event", found.detail);
    if (found.type === "log" || found.type === "progress") {
      // Before, the referee reports the progress.
      if (found.type === "log" || isClosing) options.onEvent(found);
      return;
    }
    if (!isClosing) throw invalid(`a ${found.type} before close`);
    if (result !== null || rejected !== null) throw invalid("a message after its result");
    if (found.type === "result") result = launch.box ? withoutBoxPaths(found) : found;
    else rejected = found.message;
    // It should exit now.
    deadline.set(performance.now() + LINGER_MS);
  }

  /** Takes the files of an environment that does not exit after its result. */
  async function leave(): Promise<void> {
    await child.takeFiles();
    if (asked) answer({ result, rejected });
    child.kill(true);
  }

  function answer(value: unknown): void {
    const { resolve } = asked!;
    asked = null;
    deadline.set(Number.POSITIVE_INFINITY);
    resolve(value as never);
  }

  const ended = child.ended.then((end) => {
    // After close, an exit is the answer. The last line may lack a newline.
    if (isClosing && end.rest.length > 0 && end.code === 0) take(end.rest);
    inbox?.remove();
    if (failure !== null) return;
    if (isClosing && end.code === 0) return answer({ result, rejected });
    try {
      const { detail, code } = processEndFailure(end, child.stderr());
      const what = code === "evaluator_memory" ? "it used too much memory" : "it exited";
      fail(new RunFailure("env_crashed", what, `${asked ? `during ${asked.type}` : "unasked"}: ${detail}`));
    } catch (error) {
      fail(error);
    }
  });

  function ask<T>(type: Asked["type"], rest: string, ms: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (failure !== null) return reject(failure);
      asked = { type, resolve: resolve as Asked["resolve"], reject };
      limitMs = ms;
      deadline.set(performance.now() + ms);
      child.resetCounts();
      child.write(`${head}"${type}"${rest}}\n`);
    });
  }

  return {
    output,
    open: (about) => {
      const fields = { ...about, output_dir: launch.box ? BOX.output : output };
      return ask("open", `,${JSON.stringify(fields).slice(1, -1)}`, options.resetMs);
    },
    reset: (episode, seed) => ask("reset", `,"episode":${episode},"seed":${seed}`, options.resetMs),
    step: (action) => ask("step", `,"action":${action}`, options.stepMs),
    close() {
      isClosing = true;
      const closed = ask<Closed>("close", "", options.closeMs);
      child.endInput();
      return closed;
    },
    stderr: () => child.stderr(),
    frameRate: () => frameRate,
    async end() {
      fail(new Error("the environment was ended"));
      deadline[Symbol.dispose]();
      await ended;
    },
  };
}
