import { randomBytes } from "node:crypto";

/** Ids that clients may make. Safe in a URL, a file name, a git tag and a shell word. */
export const SUBMISSION_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$/;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** A new submission id: 16 characters that are hard to confuse, 80 random bits. */
export function createSubmissionId(): string {
  return Array.from(randomBytes(16), (byte) => ALPHABET[byte % 32]).join("");
}
