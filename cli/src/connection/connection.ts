import { CrowdaiError } from "@crowdai/shared";
import type { HttpClient } from "../client/http/http-client.ts";
import { resolveSettings, type Settings } from "../config/settings.ts";
import {
  checkKey,
  createKeyStore,
  type FoundKey,
  type KeyStore,
  requireKey,
} from "../credentials/key-store.ts";
import { createKeychain, type Keychain } from "../credentials/keychain.ts";
import type { Io } from "../terminal/io.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { CiSessions } from "./ci-session.ts";
import { confirmBroker } from "./confirm-broker.ts";
import { connectHttp } from "./connect-http.ts";
import { mayHaveIdToken, noKey } from "./no-key.ts";

/**
 * A command's connection to its broker: where it is, with which key, over HTTP. Each part is made on first
 * use.
 */
export interface Connection {
  /** The name of this client, such as `crowdai/0.1.0 node/26.10.0`. */
  client: string;
  keychain: Keychain;
  /** Throws config_invalid. */
  readonly settings: Settings;
  /** The stored key of this broker. */
  readonly keys: KeyStore;
  /**
   * Returns the key in use. Asks a person whether a broker that only a project file names may get it. Throws
   * no_key, key_unbound, or key_malformed before anything is sent.
   */
  key(): Promise<string>;
  /**
   * Returns the source of that key: CROWDAI_API_KEY, keychain, the path of the file, or the trust in this CI
   * job.
   */
  keySource(): Promise<string>;
  /** Returns the sessions that the key in use belongs to, if it is one of this CI job. */
  ciSessions(): Promise<CiSessions | undefined>;
  /** Returns a client that sends the key if there is one. */
  http(): Promise<HttpClient>;
}

export interface ConnectionOptions {
  io: Io;
  terminal: Terminal;
  flags: { broker?: string; challenge?: string };
  client: string;
  /** Replaces the keychain of the operating system. */
  keychain?: Keychain;
  /** Gets the key before it is used. */
  onKey?: ((key: string) => void) | undefined;
}

export function createConnection({ io, terminal, flags, client, ...given }: ConnectionOptions): Connection {
  const { env, cwd } = io;
  const keychain =
    given.keychain ?? createKeychain({ env, timeoutMs: terminal.isInteractive ? 60_000 : 5_000 });
  const settings = once(() => {
    const found = resolveSettings({ env, cwd, flags });
    for (const warning of found.warnings) terminal.warn(warning);
    return found;
  });
  const keys = once(() => createKeyStore({ env, settings: settings(), keychain }));
  const found = once(async (): Promise<FoundKey | null> => {
    try {
      return await keys().find();
    } catch (failure) {
      if (!(failure instanceof CrowdaiError) || failure.code !== "key_unbound") throw failure;
      await confirmBroker(io, terminal, settings(), failure);
      const trusting = { ...settings(), brokerTrusted: true };
      return await createKeyStore({ env, settings: trusting, keychain }).find();
    }
  });
  const known = once(async () => {
    const any = await found();
    if (any) given.onKey?.(any.key);
    return any;
  });
  const ofJob = once(async () => {
    if (!mayHaveIdToken(env)) return null;
    const { ciSessions } = await import("./ci-session.ts");
    return ciSessions({ io, settings: settings(), client, onKey: given.onKey });
  });
  /** The sessions of this CI job, if it has no key. */
  const sessions = async () => ((await known()) ? null : await ofJob());
  const required = async (): Promise<FoundKey> => {
    const session = await (await sessions())?.current();
    if (session) return { key: session.key, source: `CI trust ${session.subject}` };
    const any = await known();
    if (!any) throw noKey(settings().broker, env);
    return requireKey(any, settings().broker);
  };
  let isRefused = false;
  /** The key for requests that need none. They are sent without one where this job is not trusted. */
  const keyIfAny = async () => {
    const any = await known();
    if (any) return checkKey(any.key, any.source);
    try {
      return isRefused ? null : ((await (await sessions())?.key()) ?? null);
    } catch (failure) {
      if (!(failure instanceof CrowdaiError) || failure.code === "interrupted") throw failure;
      isRefused = true;
      terminal.warn(`Continuing without an account: ${failure.message}`);
      return null;
    }
  };

  return {
    client,
    keychain,
    get settings() {
      return settings();
    },
    get keys() {
      return keys();
    },
    key: async () => (await required()).key,
    keySource: async () => (await required()).source,
    ciSessions: async () => (await sessions()) ?? undefined,
    async http() {
      const { broker } = settings();
      const http = connectHttp({ broker, key: keyIfAny, client, io });
      const shown = async <T>(request: () => Promise<T>): Promise<T> => {
        // Which may ask the person at the terminal. The request reports what fails here.
        await keyIfAny().catch(() => null);
        return terminal.waiting(`Waiting for ${broker}`, request());
      };
      return {
        ...http,
        get: (...asked) => shown(() => http.get(...asked)),
        post: (...asked) => shown(() => http.post(...asked)),
      };
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
