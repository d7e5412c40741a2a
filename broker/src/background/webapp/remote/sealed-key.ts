import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

const LABEL = "crowdai webapp outbox";
const NONCE = 12;
const TAG = 16;

/**
 * Encrypts a participant's key for the records: the webapp needs it to open a submission, which may happen
 * later. Without WEBAPP_TOKEN the records reveal nothing of it.
 */
export function sealKey(token: string, key: string): string {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv("aes-256-gcm", secretOf(token), nonce);
  const text = Buffer.concat([cipher.update(key, "utf8"), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString("base64url");
}

/** Decrypts the key; null when it was encrypted under another token. */
export function openKey(token: string, sealed: string): string | null {
  try {
    const bytes = Buffer.from(sealed, "base64url");
    const decipher = createDecipheriv("aes-256-gcm", secretOf(token), bytes.subarray(0, NONCE));
    decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString("utf8");
  } catch {
    return null;
  }
}

const secretOf = (token: string) => Buffer.from(hkdfSync("sha256", token, "", LABEL, 32));
