import type { Readable, Writable } from "node:stream";

/**
 * Runs programs in boxes: closed off from this machine, from the network and from each other, under limits
 * that hold for all processes of a box together.
 */
export interface Sandbox {
  /** With its version, for the log. */
  readonly name: string;
  /** Starts programs that try to leave their box, and reports what happened. Takes about a second. */
  selfTest(): Promise<SelfTest>;
  /** Starts a program in a new box. Throws when this machine cannot. */
  start(plan: BoxPlan): Box;
}

/** The result of a self-test. */
export interface SelfTest {
  /** Actions that were tried and refused. */
  enforced: readonly string[];
  /** Actions that are not refused here, one line each. Empty when boxes can be used. */
  failures: readonly string[];
}

export interface BoxPlan {
  /** The program, by its path in the box or by its name on the box's PATH, and its arguments. */
  command: readonly [string, ...string[]];
  /** The working folder, by its path in the box. */
  cwd: string;
  /** The whole environment, besides PATH, HOME and TMPDIR. */
  env: Readonly<Record<string, string>>;
  /**
   * Files and folders of this machine, by their path in the box. The program can only read them, if all users
   * may. Of several folders at one path, the files of the earlier ones hide those of the later ones.
   */
  readable: Readonly<Record<string, string | readonly string[]>>;
  /** A folder of this machine whose top folders the program sees instead of the machine's own programs. */
  root?: string;
  /** A folder of this machine, visible at /job. The caller can move files into it while the program runs. */
  inbox?: string;
  /** A descriptor to read from, or a pipe to write to. */
  stdin: number | "pipe";
  limits: BoxLimits;
}

/** Limits of a box. They hold for all its processes together; null where there is none. */
export interface BoxLimits {
  memoryBytes: number | null;
  cpuMs: number | null;
  wallMs: number | null;
  /** Processes and threads. */
  processes: number;
  /** The contents of /tmp, and of /out. They count as memory. */
  scratchBytes: number;
}

/** The paths that a program finds in its box. */
export const BOX = {
  inbox: "/job",
  output: "/out",
  scratch: "/tmp",
  path: "/usr/local/bin:/usr/bin:/bin",
} as const;

/** A running program with all its descendants. */
export interface Box {
  /** Null when the program reads a descriptor. */
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Resolves when the program has exited, or the box has ended. What it left running in the box was killed.
   */
  readonly exited: Promise<void>;
  /**
   * Writes the files that the program left in /out into `folder`, an empty folder, and empties /out. Devices
   * and pipes are left out, and files beyond a number of bytes in total, or those that `take` refuses. So are
   * links, except symbolic ones that stay inside and that `take` asks for: a box can follow them. Resolves
   * with false when the box ended before all was written, and rejects when this machine could not write.
   */
  collect(folder: string, take: number | TakeFile): Promise<boolean>;
  /** Empties /out. */
  clear(): Promise<void>;
  /** Ends the box when its program has exited. Until then, its files can be collected. */
  close(): void;
  /** Kills everything in the box now. */
  kill(): void;
  /** Resolves when nothing of the box is left. Never rejects. */
  readonly ended: Promise<BoxEnd>;
}

/** A file that a program left in /out, by its path there. */
export interface LeftEntry {
  name: string;
  kind: "file" | "folder" | "link" | "pipe" | "other";
  size: number;
  /** Where a symbolic link leads; null for everything else. */
  target: string | null;
}

/** Called for everything in /out. Returns whether to write it, if it is a file or a symbolic link. */
export type TakeFile = (entry: LeftEntry) => boolean;

/** Why a box ended: the first cause counts. */
export type BoxCause = "exit" | "memory" | "cpu" | "wall" | "killed" | "not_started";

export interface BoxEnd {
  cause: BoxCause;
  /** The program's exit code; 128 + n after signal n. Null when it did not exit by itself. */
  code: number | null;
  /** Why the box could not be started, for the organizer's log. */
  detail: string;
  /** Whether the program failed while /tmp or /out was full. */
  scratchFull: boolean;
  usage: BoxUsage;
}

export interface BoxUsage {
  wallMs: number;
  cpuMs: number;
  peakMemoryBytes: number;
}
