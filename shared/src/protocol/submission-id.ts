import { randomBytes } from "node:crypto";

/**
 * The form of submission ids, which clients create. Safe in a URL, a file name, a git tag and a shell
 * command.
 */
export const SUBMISSION_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$/;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** Creates a submission id: 80 random bits in 16 characters that are hard to confuse. */
export function createSubmissionId(): string {
  return Array.from(randomBytes(16), (byte) => ALPHABET[byte % 32]).join("");
}
