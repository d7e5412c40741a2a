import type { Writable } from "node:stream";

/** The parts of its process that a command uses. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdout: Writable;
  stderr: Writable;
  /** Calls `stop` at the first request to end the program, at once if that has come already. */
  onSignal(stop: () => void): void;
}
