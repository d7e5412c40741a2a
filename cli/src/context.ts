import type { Readable, Writable } from "node:stream";
import type { HttpClient } from "./client/http/http-client.ts";
import { resolveSettings, type Settings } from "./config/settings.ts";
import { checkKey, createKeyStore, type KeyStore } from "./credentials/key-store.ts";
import { createKeychain, type Keychain } from "./credentials/keychain.ts";
import { createTerminal, type Format, type Terminal } from "./terminal/terminal.ts";

/** What surrounds one run of the command line; the process's own, or a test's. */
export interface Io {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number };
  /** Aborted by the first SIGINT or SIGTERM. */
  signal: AbortSignal;
  /** In place of the operating system's. */
  keychain?: Keychain;
}

export interface GlobalOptions {
  broker?: string;
  challenge?: string;
  format?: Format;
  quiet?: boolean;
  color?: boolean;
}

/** What a command may use. Built once, in main.ts; whatever is expensive is made when it is first asked for. */
export interface Context extends Io {
  /** This client, as `crowdai/0.1.0 node/26.10.0`. */
  client: string;
  keychain: Keychain;
  /** Version of this client alone. */
  version: string;
  /** Read when first used. Throws config_invalid. */
  readonly settings: Settings;
  terminal: Terminal;
  /** The key of the broker in use, and where it is kept. */
  readonly keys: KeyStore;
  /** The key in use. Throws no_key, or key_malformed before anything is sent. */
  key(): Promise<string>;
  /** The broker over HTTP, with the key when there is one. */
  http(): Promise<HttpClient>;
}

export function createContext(io: Io, options: GlobalOptions, version: string): Context {
  const terminal = createTerminal({ ...io, ...outputOptions(options) });
  const client = `crowdai/${version} ${runtime()}`;
  const keychain =
    io.keychain ?? createKeychain({ env: io.env, timeoutMs: terminal.isInteractive ? 60_000 : 5_000 });

  const settings = once(() => {
    const { broker, challenge } = options;
    const found = resolveSettings({ env: io.env, cwd: io.cwd, flags: { broker, challenge } });
    for (const warning of found.warnings) terminal.warn(warning);
    return found;
  });
  const keys = once(() => createKeyStore({ env: io.env, settings: settings(), keychain }));
  const key = once(() => keys().require());
  const keyIfAny = once(async () => {
    const found = await keys().find();
    return found && checkKey(found.key, found.source);
  });

  return {
    ...io,
    keychain,
    client,
    version,
    terminal,
    get settings() {
      return settings();
    },
    get keys() {
      return keys();
    },
    key,
    async http() {
      return connectHttp({ ...io, client }, settings().broker, keyIfAny);
    },
  };
}

/** A broker over HTTP. `key` is asked for only when a request is made. */
export async function connectHttp(
  io: Pick<Io, "env" | "signal"> & { client: string },
  broker: string,
  key: () => Promise<string | null>,
): Promise<HttpClient> {
  const [{ createHttpClient }, { proxyAgents }] = await Promise.all([
    import("./client/http/http-client.ts"),
    import("./client/http/proxy-agents.ts"),
  ]);
  return createHttpClient({ broker, key, client: io.client, signal: io.signal, agents: proxyAgents(io.env) });
}

export function outputOptions(options: GlobalOptions): { format: Format; quiet: boolean; color: boolean } {
  return {
    format: options.format ?? "text",
    quiet: options.quiet ?? false,
    color: options.color ?? true,
  };
}

export function runtime(): string {
  return process.versions.bun ? `bun/${process.versions.bun}` : `node/${process.versions.node}`;
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
