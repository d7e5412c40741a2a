import { submissionsSchema } from "../client/http/broker-queries.ts";
import { ID_KINDS, type IdKind, plainIds, storedIds, storeIds } from "../completion/id-cache.ts";
import { resolveSettings, type Settings } from "../config/settings.ts";
import { clientName } from "../connection/client-name.ts";
import { connectHttp } from "../connection/connect-http.ts";
import { createKeyStore } from "../credentials/key-store.ts";
import { type Keychain, KeychainUnavailable } from "../credentials/keychain.ts";
import type { Io } from "../terminal/io.ts";
import { challengesSchema } from "./challenges.ts";

const MAX_WAIT_MS = 300;
/**
 * How long ids are offered without asking the broker. Someone who has just submitted looks for that
 * submission.
 */
const FRESH_MS = { challenges: 5 * 60_000, submissions: 5_000 };
const MAX_SUBMISSIONS = 50;

/**
 * Prints the ids of a kind, one a line, for a completion script: quickly, and in silence whatever fails. Asks
 * no person and no keychain, which may show a dialog, and sends nothing to a broker that only a project file
 * names.
 */
export async function completeIds(kind: string | undefined, io: Io, version: string): Promise<number> {
  if (!ID_KINDS.includes(kind as IdKind)) return 0;
  try {
    const settings = resolveSettings({ env: io.env, cwd: io.cwd, flags: {} });
    const ids = await idsOf(kind as IdKind, settings, io, version);
    io.stdout.write(ids.map((id) => `${id}\n`).join(""));
  } catch {
    // Settings that cannot be read: every other command reports them.
  }
  return 0;
}

async function idsOf(kind: IdKind, settings: Settings, io: Io, version: string): Promise<string[]> {
  const stored = storedIds(settings, kind);
  const age = Date.now() - stored.at;
  if ((age >= 0 && age < FRESH_MS[kind]) || !settings.brokerTrusted) return stored.ids;
  const late = new AbortController();
  const signal = AbortSignal.any([io.signal, late.signal]);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, MAX_WAIT_MS);
  });
  try {
    const ids = await Promise.race([timeout, readIds(kind, settings, { ...io, signal }, version)]);
    await storeIds(settings, kind, ids);
    return ids;
  } catch {
    return stored.ids;
  } finally {
    clearTimeout(timer);
    late.abort();
  }
}

async function readIds(kind: IdKind, settings: Settings, io: Io, version: string): Promise<string[]> {
  const store = createKeyStore({ env: io.env, settings, keychain: unasked });
  const key = await store.require().catch(() => null);
  const client = clientName(version);
  const http = connectHttp({ broker: settings.broker, key: async () => key, client, io });
  if (kind === "challenges") {
    const { challenges } = await http.get("/api/v1/challenges", challengesSchema, {}, io.signal);
    return plainIds(challenges.map(({ id }) => id));
  }
  if (key === null) throw new Error("no key");
  const query = { limit: MAX_SUBMISSIONS };
  const { submissions } = await http.get("/api/v1/submissions", submissionsSchema, query, io.signal);
  return plainIds(submissions.map(({ id }) => id));
}

const unavailable = async () => {
  throw new KeychainUnavailable("completions do not ask it");
};
const unasked: Keychain = { get: unavailable, set: unavailable, remove: unavailable };
