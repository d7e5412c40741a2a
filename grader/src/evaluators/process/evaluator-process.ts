import type { Readable, Writable } from "node:stream";
import type { Launch } from "./launch.ts";

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
  /** Nothing more will be written. */
  endInput(): void;
  /** Resets the output counts. */
  resetCounts(): void;
  /** Resets the output counts and stderr for the next job. */
  startJob(): void;
  stderr(): string;
  /** Sends SIGTERM to the process group, then SIGKILL to all descendants; only SIGKILL when `now`. */
  kill(now?: boolean): void;
  /**
   * In a box, moves the files that the job left there to its output folder. Elsewhere they are there already.
   */
  takeFiles(): Promise<void>;
  /** Resolves when the process has exited, all output was read, and no descendant is left. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
}

export interface ProcessOptions {
  launch: Launch;
  home: string;
  /**
   * In a box, the folder that is visible there as the inbox, and where the files go that the process leaves.
   */
  inbox?: string;
  output?: () => string | null;
  /** A file descriptor to read the job from, or a pipe to write jobs to. */
  stdin: number | "pipe";
  onLine(line: Buffer): void;
  /** Called when the output exceeds a limit. Further output is not read. */
  onOutputLimit(what: string): void;
}

/** A started program, wherever it runs. */
export interface StartedProgram extends Pick<EvaluatorProcess, "kill" | "takeFiles"> {
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<Omit<ProcessEnd, "rest">>;
}
