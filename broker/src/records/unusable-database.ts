import { CrowdaiError } from "@crowdai/shared";

/**
 * Explains why a database file could not be opened. Only the operator sees it, so it may contain the path.
 */
export function databaseError(error: unknown, file: string): unknown {
  if (error instanceof CrowdaiError) return error;
  const { errcode, message } = error as { errcode?: unknown; message: string };
  // SQLite's primary result code is the lowest byte.
  switch (Number(errcode) & 0xff) {
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return new CrowdaiError("data_unusable", `${file} is damaged: ${message}.`, {
        next: "Restore the data folder from a backup, or choose another one with --data.",
        cause: error,
      });
    case 8: // SQLITE_READONLY
    case 10: // SQLITE_IOERR
    case 13: // SQLITE_FULL
    case 14: // SQLITE_CANTOPEN
      return new CrowdaiError("data_unusable", `${file} cannot be used: ${message}.`, {
        next: "Make its folder writable for this user and free disk space, or choose another one with --data.",
        cause: error,
      });
    default:
      return error;
  }
}

/** Explains that what was written to the database did not reach the disk. */
export const unwrittenDatabase = (error: Error, file: string): CrowdaiError =>
  new CrowdaiError("data_unusable", `${file} could not be written to the disk: ${error.message}.`, {
    next: "Free disk space, and check the disk. Start the broker again: nothing that it acknowledged is lost.",
    cause: error,
  });
