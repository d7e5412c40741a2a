import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, mayBeApiKey } from "@crowdai/shared";
import { z } from "zod";
import { writePrivateFile } from "../config/private-file.ts";
import type { Settings } from "../config/settings.ts";
import { keyUnbound } from "./key-unbound.ts";
import { createKeychain, type Keychain, KeychainUnavailable } from "./keychain.ts";

export interface FoundKey {
  key: string;
  /** CROWDAI_API_KEY, keychain, or the path of the file. */
  source: string;
}

/** Stores the key of one broker. Every broker has its own file, and its own account in the keychain. */
export interface KeyStore {
  /**
   * Returns the key, or null. Throws key_unbound if the only key is from the environment and the broker is
   * not trusted with it, no_key if the key is in the keychain and the keychain does not answer.
   */
  find(): Promise<FoundKey | null>;
  /**
   * Returns the key. Throws no_key, key_unbound, or key_malformed for a typo, which is detected without the
   * broker.
   */
  require(): Promise<string>;
  /**
   * Stores a key in the keychain, or in a file if there is no keychain. Returns where, and the reason for a
   * file.
   */
  save(key: string): Promise<{ source: string; reason: string | null }>;
  /** Removes the key. Returns whether there was one. */
  forget(): Promise<boolean>;
  /** Path of the file with the key, or with a note that the key is in the keychain. */
  readonly file: string;
}

export interface KeyStoreOptions {
  env: Readonly<Record<string, string | undefined>>;
  settings: Pick<Settings, "broker" | "brokerTrusted" | "configDir" | "configDirChosen" | "sources">;
  /** Default: the keychain of the operating system. */
  keychain?: Keychain;
}

const noteSchema = z.discriminatedUnion("store", [
  z.object({ broker: z.string(), store: z.literal("keychain") }),
  z.object({ broker: z.string(), store: z.literal("file"), key: z.string() }),
]);
type Note = z.infer<typeof noteSchema>;

/** Creates a key store. It reads nothing until one of its functions is called. */
export function createKeyStore({
  env,
  settings,
  keychain = createKeychain({ env, timeoutMs: 5_000 }),
}: KeyStoreOptions): KeyStore {
  const { broker, configDir } = settings;
  const file = join(configDir, "keys", `${encodeURIComponent(broker)}.json`);
  // A chosen folder has keys of its own: a test's sign-in must not replace the user's.
  const account = settings.configDirChosen ? `${broker} (${configDir})` : broker;

  const find = async (): Promise<FoundKey | null> => {
    const fromEnv = env.CROWDAI_API_KEY?.trim();
    if (fromEnv && settings.brokerTrusted) return { key: fromEnv, source: "CROWDAI_API_KEY" };
    const note = await readNote(file, broker);
    if (!note && fromEnv) throw keyUnbound(settings);
    if (!note) return null;
    if (note.store === "file") return { key: note.key, source: file };
    const key = await requireAnswer(keychain.get(account));
    return key === null ? null : { key, source: "keychain" };
  };

  return {
    file,
    find,
    require: async () => requireKey(await find(), broker).key,
    async save(key) {
      try {
        await keychain.set(account, key);
      } catch (error) {
        if (!(error instanceof KeychainUnavailable)) throw error;
        await writeNote(file, { broker, store: "file", key });
        return { source: file, reason: error.message };
      }
      await writeNote(file, { broker, store: "keychain" });
      return { source: "keychain", reason: null };
    },
    async forget() {
      // An invalid file is removed like any other.
      const note = await readNote(file, broker).catch(() => "broken" as const);
      if (!note) return false;
      if (note !== "broken" && note.store === "keychain") await requireAnswer(keychain.remove(account));
      await rm(file, { force: true });
      return true;
    },
  };
}

/**
 * Returns the key for a broker, from CROWDAI_API_KEY or from where `crowdai login` stored it. Throws no_key,
 * key_unbound or key_malformed.
 */
export async function readKey(options: KeyStoreOptions): Promise<string> {
  return createKeyStore(options).require();
}

/** Returns what was found, if it is a key. Throws no_key or key_malformed. */
export function requireKey(found: FoundKey | null, broker: string): FoundKey {
  if (!found) throw new CrowdaiError("no_key", `No API key for ${broker}.`, { details: { broker } });
  checkKey(found.key, found.source);
  return found;
}

/** Returns the key if its format and checksum are valid. Throws key_malformed, which never shows the key. */
export function checkKey(key: string, source: string): string {
  if (mayBeApiKey(key)) return key;
  const reason = key.startsWith("crowdai_")
    ? "its checksum is wrong"
    : "a key starts with crowdai_, or has 32 hex digits";
  throw new CrowdaiError("key_malformed", `The API key (from ${source}) is mistyped: ${reason}.`, {
    details: { source },
  });
}

async function readNote(file: string, broker: string): Promise<Note | null> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw invalidFile(file, `cannot be read (${code})`);
  }
  let note: unknown;
  try {
    note = JSON.parse(text);
  } catch {
    // The parser's message would quote the file, and thus the key.
    throw invalidFile(file, "is not valid JSON");
  }
  const parsed = noteSchema.safeParse(note);
  if (!parsed.success) throw invalidFile(file, "does not contain a key");
  if (parsed.data.broker !== broker) throw invalidFile(file, "belongs to another broker");
  return parsed.data;
}

async function writeNote(file: string, note: Note): Promise<void> {
  await writePrivateFile(file, `${JSON.stringify(note, null, 2)}\n`);
}

/** Turns an unavailable keychain into no_key. */
async function requireAnswer<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (!(cause instanceof KeychainUnavailable)) throw cause;
    throw new CrowdaiError("no_key", `The key is in the keychain, but ${cause.message}.`, {
      next: "Unlock the keychain, or set CROWDAI_API_KEY.",
      cause,
    });
  }
}

function invalidFile(file: string, what: string): CrowdaiError {
  return new CrowdaiError("config_invalid", `${file} ${what}.`, {
    next: "Run `crowdai logout` or remove the file, then `crowdai login`.",
    details: { file },
  });
}
