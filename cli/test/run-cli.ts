import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import type { Keychain } from "../src/credentials/keychain.ts";
import { KeychainUnavailable } from "../src/credentials/keychain.ts";
import { main } from "../src/main.ts";
import { collectingStream } from "./collecting-stream.ts";

export interface RunOptions {
  cwd: string;
  env?: Record<string, string | undefined>;
  stdin?: string;
  /** Keys to press, one after the other; standard input stays open. */
  keys?: readonly string[];
  /** The streams that are terminals. */
  tty?: { stdin?: boolean; stdout?: boolean; stderr?: boolean; columns?: number };
  signal?: AbortSignal;
  keychain?: Keychain;
  /** Called with everything on standard error whenever more is written to it. */
  onStderr?(text: string): void;
}

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command line in this process, with its own streams and environment. */
export async function runCli(args: readonly string[], options: RunOptions): Promise<Run> {
  const { tty = {}, cwd } = options;
  const stdin = new PassThrough();
  for (const key of options.keys ?? []) stdin.write(key);
  if (!options.keys) stdin.end(options.stdin ?? "");
  const stdout = collectingStream({ isTTY: tty.stdout, columns: tty.columns });
  const stderr = collectingStream({ isTTY: tty.stderr, columns: tty.columns });
  stderr.stream.on("wrote", () => options.onStderr?.(stderr.text()));
  const code = await main(args, {
    env: { HOME: cwd, CROWDAI_CONFIG_DIR: join(cwd, "user"), LANG: "C.UTF-8", ...options.env },
    cwd,
    stdin: Object.assign(stdin as Readable, tty.stdin ? { isTTY: true, setRawMode: () => stdin } : {}),
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: options.signal ?? new AbortController().signal,
    keychain: options.keychain ?? noKeychain,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** Parses the output of `--format ndjson`. */
export function jsonLines(printed: string) {
  return printed
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

export const noKeychain: Keychain = {
  get: async () => unavailable(),
  set: async () => unavailable(),
  remove: async () => unavailable(),
};

export function memoryKeychain(): Keychain & { entries: Map<string, string> } {
  const entries = new Map<string, string>();
  return {
    entries,
    get: async (account) => entries.get(account) ?? null,
    set: async (account, secret) => void entries.set(account, secret),
    remove: async (account) => void entries.delete(account),
  };
}

/** Creates a folder for one test and removes it afterwards. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "crowdai-cli-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function unavailable(): never {
  throw new KeychainUnavailable("there is none in this test");
}
