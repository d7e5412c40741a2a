import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { writePrivateFile } from "../config/private-file.ts";
import { removeQuietly } from "../config/remove-quietly.ts";

const OLD_MS = 24 * 3_600_000;

/**
 * Reads the session that an earlier command of this job got for the same token; null when there is none. It
 * is encrypted with the token: other jobs on this machine cannot read it.
 */
export async function readStoredSession(configDir: string, broker: string, token: string): Promise<unknown> {
  try {
    const bytes = Buffer.from(await readFile(fileOf(configDir, broker, token), "latin1"), "base64");
    const opened = createDecipheriv("aes-256-gcm", secretOf(token), bytes.subarray(0, 12));
    opened.setAuthTag(bytes.subarray(12, 28));
    return JSON.parse(Buffer.concat([opened.update(bytes.subarray(28)), opened.final()]).toString("utf8"));
  } catch {
    return null;
  }
}

/** Stores a session for later commands of this job. Does nothing where that is not possible. */
export async function storeSession(
  configDir: string,
  broker: string,
  token: string,
  session: object,
): Promise<void> {
  const start = randomBytes(12);
  const sealed = createCipheriv("aes-256-gcm", secretOf(token), start);
  const text = Buffer.concat([sealed.update(JSON.stringify(session), "utf8"), sealed.final()]);
  const bytes = Buffer.concat([start, sealed.getAuthTag(), text]);
  try {
    await writePrivateFile(fileOf(configDir, broker, token), bytes.toString("base64"));
    await removeOld(folderOf(configDir));
  } catch {
    // The next command then needs a token of its own, and says so.
  }
}

async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (Date.now() - (await stat(path)).mtimeMs > OLD_MS) await removeQuietly(path);
  }
}

const folderOf = (configDir: string) => join(configDir, "ci-sessions");
const fileOf = (configDir: string, broker: string, token: string) =>
  join(folderOf(configDir), digest(`file\n${broker}\n${token}`).toString("hex").slice(0, 32));
const secretOf = (token: string) => digest(`key\n${token}`);
const digest = (text: string) => createHash("sha256").update(text).digest();
