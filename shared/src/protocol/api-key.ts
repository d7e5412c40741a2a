import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "./crc32.ts";

const PREFIX = "crowdai_";
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BODY_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const FORM = new RegExp(`^${PREFIX}[0-9A-Za-z]{${BODY_LENGTH + CHECKSUM_LENGTH}}$`);

/**
 * Creates an API key: `crowdai_`, 43 base62 characters with 256 random bits, and their CRC-32 in 6
 * characters.
 */
export function createApiKey(): string {
  const body = base62(BigInt(`0x${randomBytes(32).toString("hex")}`), BODY_LENGTH);
  return PREFIX + body + checksum(body);
}

/** Returns whether a key is well formed and has the right checksum. The broker may still not know it. */
export function isApiKey(key: string): boolean {
  if (!FORM.test(key)) return false;
  const body = key.slice(PREFIX.length, PREFIX.length + BODY_LENGTH);
  return checksum(body) === key.slice(-CHECKSUM_LENGTH);
}

const WEBAPP_KEY = /^[0-9a-f]{32}$/;

/**
 * Returns whether a key has a valid form: that of crowdAI keys, or that of the original webapp, which has no
 * checksum. The broker may still not know it.
 */
export function mayBeApiKey(key: string): boolean {
  return isApiKey(key) || WEBAPP_KEY.test(key);
}

/** Returns the stored form of a key. A fast hash is enough, because 256 random bits cannot be guessed. */
export function hashApiKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

function checksum(body: string): string {
  return base62(BigInt(crc32(body)), CHECKSUM_LENGTH);
}

function base62(value: bigint, length: number): string {
  let digits = "";
  for (let rest = value; rest > 0n; rest /= 62n) digits = BASE62[Number(rest % 62n)] + digits;
  return digits.padStart(length, "0");
}
