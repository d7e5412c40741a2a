import type { Readable, Writable } from "node:stream";

/** The environment of one run of the command line: of the process, or of a test. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number };
  /** Aborted by the first SIGINT or SIGTERM. */
  signal: AbortSignal;
}
