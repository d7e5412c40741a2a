import type { Readable, Writable } from "node:stream";
import type { Launch } from "./launch.ts";
import { createLineReader } from "./line-reader.ts";
import { startBoxed } from "./start-boxed.ts";
import { startConfined } from "./start-confined.ts";
import { createTail } from "./tail.ts";

/** The longest line an evaluator may print, and the most bytes and lines per job. */
export const MAX_LINE_BYTES = 10 * 1024 * 1024;
export const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
export const MAX_OUTPUT_LINES = 1_000_000;
export const MAX_STDERR_BYTES = 64 * 1024;

export interface ProcessEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Whether it and its descendants used more memory together than they may. */
  outOfMemory: boolean;
  /** Why the process could not be started. */
  error: NodeJS.ErrnoException | null;
  /** The output after the last newline. */
  rest: Buffer;
}

export interface EvaluatorProcess {
  write(text: string): void;
  /** Resets the output counts and stderr for the next job. */
  startJob(): void;
  stderr(): string;
  /** Sends SIGTERM to the process group, then SIGKILL to all descendants; only SIGKILL when `now`. */
  kill(now?: boolean): void;
  /** In a box, moves the files that the job left there to its output folder. Elsewhere they are there already. */
  takeFiles(): Promise<void>;
  /** Resolves when the process has exited, all output was read, and no descendant is left. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
}

export interface ProcessOptions {
  launch: Launch;
  home: string;
  /** In a box, the folder that is visible there as the inbox, and where the files go that the process leaves. */
  inbox?: string;
  output?: () => string | null;
  /** A file descriptor to read the job from, or a pipe to write jobs to. */
  stdin: number | "pipe";
  onLine(line: Buffer): void;
  /** Called when the output exceeds a limit. Further output is not read. */
  onOutputLimit(what: string): void;
}

/** Starts an evaluator, in a box or in its own session and process group. Memory stays bounded whatever it prints. */
export function startProcess(options: ProcessOptions): EvaluatorProcess {
  const started = options.launch.box ? startBoxed(options, options.launch.box) : startConfined(options);
  const { stdin, stdout, stderr } = started;

  let printed = 0;
  let counted = 0;
  let limitExceeded = false;
  const exceedLimit = (what: string) => {
    limitExceeded = true;
    stdout.destroy();
    options.onOutputLimit(what);
  };
  const onLine = (line: Buffer) => {
    if (limitExceeded) return;
    if (++counted > MAX_OUTPUT_LINES) exceedLimit(`more than ${MAX_OUTPUT_LINES} lines`);
    else options.onLine(line);
  };
  const lines = createLineReader(MAX_LINE_BYTES, onLine, () =>
    exceedLimit(`a line of more than ${MAX_LINE_BYTES} bytes`),
  );
  stdout.on("data", (chunk: Buffer) => {
    if (limitExceeded) return;
    printed += chunk.length;
    if (printed > MAX_OUTPUT_BYTES) exceedLimit(`more than ${MAX_OUTPUT_BYTES} bytes`);
    else lines.push(chunk);
  });
  const tail = createTail(MAX_STDERR_BYTES);
  stderr.on("data", (chunk: Buffer) => tail.add(chunk));
  // A broken pipe is ignored: the exit of the process is what counts.
  for (const stream of [stdin, stdout, stderr]) stream?.on("error", () => {});

  return {
    write: (text) => void stdin?.write(text),
    startJob() {
      printed = 0;
      counted = 0;
      tail.clear();
    },
    stderr: () => tail.text(),
    kill: started.kill,
    takeFiles: started.takeFiles,
    ended: started.ended.then((end) => ({ ...end, rest: limitExceeded ? Buffer.alloc(0) : lines.rest() })),
  };
}

/** A started program, wherever it runs. */
export interface StartedProgram extends Pick<EvaluatorProcess, "kill" | "takeFiles"> {
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<Omit<ProcessEnd, "rest">>;
}
