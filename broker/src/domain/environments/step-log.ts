import { STEP_LOG, type StoredFile, storedFileSchema } from "@crowdai/shared";
import type { SubmissionRow } from "../../records/tables.ts";

/** A step log that graders step again. */
export type StoredLog = Pick<StoredFile, "key" | "size" | "sha256">;

/** Returns the stored step log of a session; null when it has none. */
export function stepLogOf({ artifacts }: Pick<SubmissionRow, "artifacts">): StoredLog | null {
  if (artifacts === null) return null;
  const found = storedFileSchema
    .array()
    .parse(JSON.parse(artifacts))
    .find(({ name }) => name === STEP_LOG);
  return found ? { key: found.key, size: found.size, sha256: found.sha256 } : null;
}

/**
 * Returns the artifacts of a new outcome as JSON text, with the step log of the old one when the new one has
 * none.
 */
export function keepStepLog(
  before: Pick<SubmissionRow, "artifacts">,
  artifacts: string | null,
): string | null {
  if (stepLogOf(before) === null || stepLogOf({ artifacts }) !== null) return artifacts;
  const old = storedFileSchema.array().parse(JSON.parse(before.artifacts as string));
  const now = artifacts === null ? [] : storedFileSchema.array().parse(JSON.parse(artifacts));
  return JSON.stringify([...now, ...old.filter(({ name }) => name === STEP_LOG)]);
}
