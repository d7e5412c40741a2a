import type { Writable } from "node:stream";

/** What a command uses of the process that runs it. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdout: Writable;
  stderr: Writable;
  /** Calls `stop` at the first request to end the program. */
  onSignal(stop: () => void): void;
}
