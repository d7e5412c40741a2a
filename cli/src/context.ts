import type { Readable, Writable } from "node:stream";
import type { HttpClient } from "./client/http.ts";
import type { Settings } from "./config/settings.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** What a command may use. Built once, in main.ts; whatever is expensive is a function, so `--help` costs nothing. */
export interface Context {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable;
  stderr: Writable;
  /** Aborted by the first SIGINT or SIGTERM. */
  signal: AbortSignal;
  /** Version of this client, as `crowdai/0.1.0 node/26.10.0`. */
  client: string;
  settings: Settings;
  terminal: Terminal;
  /** The key in use. Throws no_key, or key_malformed before anything is sent. */
  key(): Promise<string>;
  /** The broker over HTTP, with the key when there is one. */
  http(): Promise<HttpClient>;
}
