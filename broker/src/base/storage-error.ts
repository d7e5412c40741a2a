import { asCrowdaiError, CrowdaiError } from "@crowdai/shared";

/** What a disk does when it fails, by the system's error code. */
const OF_SYSTEM: Record<string, string> = {
  ENOSPC: "is full",
  EDQUOT: "has no quota left",
  EROFS: "is read-only",
  EIO: "reports input/output errors",
  EFBIG: "accepts no larger files",
};
/** The same by SQLite's primary result code. */
const OF_SQLITE: Record<number, string> = {
  8: "is read-only",
  10: "reports input/output errors",
  13: "is full",
};
/** SQLite's codes for a damaged file, and for one that is not a database. */
const DAMAGED = new Set([11, 26]);
/** The same in git's messages. */
const OF_GIT: readonly [RegExp, string][] = [
  [/No space left on device/i, "is full"],
  [/Disk quota exceeded/i, "has no quota left"],
  [/Read-only file system/i, "is read-only"],
  [/Input\/output error/i, "reports input/output errors"],
];
/** The same by PostgreSQL's code, of the server's disk. */
const OF_POSTGRES: Record<string, string> = {
  "25006": "is read-only",
  "53100": "is full",
  "58030": "reports input/output errors",
};

/** Returns what a failed disk or database does ("is full"), or null for any other error. Looks at causes too. */
export function storageFailure(thrown: unknown): string | null {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    const { code = "", errcode } = error as Error & { code?: unknown; errcode?: unknown };
    // The lowest byte is the primary code.
    const sqlite = typeof errcode === "number" ? errcode & 0xff : 0;
    if (DAMAGED.has(sqlite)) return "has a damaged database";
    const found = OF_SQLITE[sqlite] ?? OF_SYSTEM[String(code)] ?? OF_POSTGRES[String(code)];
    if (found !== undefined) return found;
  }
  return null;
}

/** Returns the error to report for a failed disk in git's messages, or null. */
export function storageErrorOfGit(stderr: string): CrowdaiError | null {
  const found = OF_GIT.find(([pattern]) => pattern.test(stderr));
  return found ? storageFailed(found[1], new Error(stderr.trim())) : null;
}

/** Returns the catalog's error for what was thrown: storage_failed when a disk failed, else as asCrowdaiError does. */
export function asBrokerError(thrown: unknown): CrowdaiError {
  if (thrown instanceof CrowdaiError && thrown.code !== "unexpected") return thrown;
  const failure = storageFailure(thrown);
  return failure === null ? asCrowdaiError(thrown) : storageFailed(failure, thrown);
}

const storageFailed = (failure: string, cause: unknown) =>
  new CrowdaiError("storage_failed", `The broker's disk ${failure}.`, { details: { failure }, cause });
