import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, mayBeApiKey } from "@crowdai/shared";
import { z } from "zod";
import { writePrivateFile } from "../config/private-file.ts";
import type { Settings } from "../config/settings.ts";
import { createKeychain, type Keychain, KeychainUnavailable } from "./keychain.ts";

export interface FoundKey {
  key: string;
  /** CROWDAI_API_KEY, keychain, or the file's path. */
  source: string;
}

/** The key of one broker. Keys of two brokers never mix: each has a file, and an account in the keychain, of its own. */
export interface KeyStore {
  /** Null when there is none. Throws no_key when the keychain holds it and does not answer. */
  find(): Promise<FoundKey | null>;
  /** The same, checked: throws no_key, or key_malformed for a typo, which needs no broker to be told. */
  require(): Promise<string>;
  /** Keeps a key in the keychain or, where there is none, in a file; resolves to which, and why it is the file. */
  save(key: string): Promise<{ source: string; reason: string | null }>;
  /** Resolves to whether there was one. */
  forget(): Promise<boolean>;
  /** Holds the key, or the note that the keychain does. */
  readonly file: string;
}

export interface KeyStoreOptions {
  env: Readonly<Record<string, string | undefined>>;
  settings: Pick<Settings, "broker" | "configDir" | "configDirChosen">;
  /** The operating system's own when left out. */
  keychain?: Keychain;
}

const noteSchema = z.discriminatedUnion("store", [
  z.object({ broker: z.string(), store: z.literal("keychain") }),
  z.object({ broker: z.string(), store: z.literal("file"), key: z.string() }),
]);
type Note = z.infer<typeof noteSchema>;

/** Reads nothing before one of its functions is called. */
export function createKeyStore({
  env,
  settings,
  keychain = createKeychain({ env, timeoutMs: 5_000 }),
}: KeyStoreOptions): KeyStore {
  const { broker, configDir } = settings;
  const file = join(configDir, "keys", `${encodeURIComponent(broker)}.json`);
  // A folder chosen by hand is a world of its own: a test's sign-in must not replace the person's.
  const account = settings.configDirChosen ? `${broker} (${configDir})` : broker;

  const find = async (): Promise<FoundKey | null> => {
    const fromEnv = env.CROWDAI_API_KEY?.trim();
    if (fromEnv) return { key: fromEnv, source: "CROWDAI_API_KEY" };
    const note = await readNote(file, broker);
    if (!note) return null;
    if (note.store === "file") return { key: note.key, source: file };
    const key = await asking(keychain.get(account));
    return key === null ? null : { key, source: "keychain" };
  };

  return {
    file,
    find,
    async require() {
      const found = await find();
      if (!found) throw new CrowdaiError("no_key", `No API key for ${broker}.`, { details: { broker } });
      return checkKey(found.key, found.source);
    },
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
      // A file that cannot be understood is forgotten like any other.
      const note = await readNote(file, broker).catch(() => "broken" as const);
      if (!note) return false;
      if (note !== "broken" && note.store === "keychain") await asking(keychain.remove(account));
      await rm(file, { force: true });
      return true;
    },
  };
}

/**
 * The key in use for a broker, checked, from CROWDAI_API_KEY or where `crowdai login` put it. Throws no_key or
 * key_malformed.
 */
export async function readKey(options: KeyStoreOptions): Promise<string> {
  return createKeyStore(options).require();
}

/** The key itself, when its form and checksum fit. Throws key_malformed, which never shows the key. */
export function checkKey(key: string, source: string): string {
  if (mayBeApiKey(key)) return key;
  const reason = key.startsWith("crowdai_")
    ? "its checksum does not fit"
    : "a key begins with crowdai_, or has 32 hex digits";
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
    throw broken(file, `cannot be read (${code})`);
  }
  let note: unknown;
  try {
    note = JSON.parse(text);
  } catch {
    // The parser's message would quote the file, and so the key.
    throw broken(file, "is no JSON");
  }
  const parsed = noteSchema.safeParse(note);
  if (!parsed.success) throw broken(file, "does not hold a key");
  if (parsed.data.broker !== broker) throw broken(file, "belongs to another broker");
  return parsed.data;
}

async function writeNote(file: string, note: Note): Promise<void> {
  await writePrivateFile(file, `${JSON.stringify(note, null, 2)}\n`);
}

async function asking<T>(answer: Promise<T>): Promise<T> {
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

function broken(file: string, what: string): CrowdaiError {
  return new CrowdaiError("config_invalid", `${file} ${what}.`, {
    next: "Run `crowdai logout` or remove the file, then `crowdai login`.",
    details: { file },
  });
}
