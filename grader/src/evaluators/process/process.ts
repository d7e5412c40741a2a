import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { CrowdaiError } from "@crowdai/shared";
import { processTrees } from "../../confinement/subreaper.ts";
import { evaluatorEnvironment, type Launch } from "./launch.ts";
import { createLineReader } from "./line-reader.ts";
import { createTail } from "./tail.ts";

/** The longest line an evaluator may print, and the most bytes and lines per job. */
export const MAX_LINE_BYTES = 10 * 1024 * 1024;
export const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
export const MAX_OUTPUT_LINES = 1_000_000;
export const MAX_STDERR_BYTES = 64 * 1024;

/** Time between SIGTERM and SIGKILL. */
const TERM_MS = 1000;
/** How long pipes may stay open after the exit: a process that cannot be found may still hold them. */
const DRAIN_MS = 500;
const MEMORY_CHECK_MS = 250;

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
  /** Resolves when the process has exited, all output was read, and no descendant is left. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
}

export interface ProcessOptions {
  launch: Launch;
  home: string;
  /** A file descriptor to read the job from, or a pipe to write jobs to. */
  stdin: number | "pipe";
  onLine(line: Buffer): void;
  /** Called when the output exceeds a limit. Further output is not read. */
  onOutputLimit(what: string): void;
}

/** What a spawn needs for its pipes, and some more. */
const DESCRIPTORS = 12;

/** Throws EMFILE when a spawn would fail with it: both runtimes lose descriptors in a spawn that fails. */
function requireDescriptors(): void {
  const opened: number[] = [];
  try {
    while (opened.length < DESCRIPTORS) opened.push(openSync("/dev/null", "r"));
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** Starts an evaluator in its own session and process group. Memory stays bounded whatever it prints. */
export function startProcess(options: ProcessOptions): EvaluatorProcess {
  const { launch } = options;
  const confined = (launch.confinement ?? processTrees).start(launch.memoryBytes ?? null);
  const [program, ...args] = [...confined.prefix, ...launch.argv] as [string, ...string[]];
  let child: ChildProcess;
  try {
    requireDescriptors();
    child = spawn(program, args, {
      cwd: launch.cwd,
      env: evaluatorEnvironment(launch.path, options.home),
      detached: true,
      stdio: [options.stdin, "pipe", "pipe"],
    });
  } catch (error) {
    void confined.close();
    throw error;
  }
  if (child.pid !== undefined) confined.attach(child.pid);
  // Without a listener, a failed start would crash the grader.
  child.on("error", () => {});
  const { stdout, stderr } = child;
  if (!stdout || !stderr) {
    void confined.close();
    throw new CrowdaiError("unexpected", "Starting a process failed: no file descriptors are left.", {
      cause: Object.assign(new Error("spawn EMFILE"), { code: "EMFILE" }),
    });
  }

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
  for (const stream of [child.stdin, stdout, stderr]) stream?.on("error", () => {});

  let gone = false;
  let killing: NodeJS.Timeout | undefined;
  const signalGroup = (signal: NodeJS.Signals) => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is empty.
    }
  };

  let outOfMemory = false;
  const checkMemory = () => {
    if (outOfMemory || !confined.exceedsMemory()) return;
    outOfMemory = true;
    confined.kill();
  };
  const watching = launch.memoryBytes == null ? undefined : setInterval(checkMemory, MEMORY_CHECK_MS);

  const ended = new Promise<ProcessEnd>((resolve) => {
    let drain: NodeJS.Timeout | undefined;
    child.once("error", (error) => {
      if (child.pid !== undefined) return;
      clearInterval(watching);
      const end = { code: null, signal: null, outOfMemory, error, rest: Buffer.alloc(0) };
      void confined.close().then(() => resolve(end));
    });
    child.once("exit", () => {
      gone = true;
      clearTimeout(killing);
      clearInterval(watching);
      checkMemory();
      confined.kill();
      signalGroup("SIGKILL");
      drain = setTimeout(() => {
        stdout.destroy();
        stderr.destroy();
      }, DRAIN_MS);
    });
    child.once("close", (code, signal) => {
      clearTimeout(drain);
      child.stdin?.destroy();
      const rest = limitExceeded ? Buffer.alloc(0) : lines.rest();
      void confined.close().then(() => resolve({ code, signal, outOfMemory, error: null, rest }));
    });
  });

  return {
    write: (text) => void child.stdin?.write(text),
    startJob() {
      printed = 0;
      counted = 0;
      tail.clear();
    },
    stderr: () => tail.text(),
    kill(now = false) {
      if (gone) return;
      if (now) return confined.kill();
      if (killing) return;
      signalGroup("SIGTERM");
      killing = setTimeout(confined.kill, TERM_MS);
    },
    ended,
  };
}
