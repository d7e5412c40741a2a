import { accessSync, constants, lstatSync } from "node:fs";
import { CrowdaiError } from "@crowdai/shared";

/** Returns whether the path exists. Throws file_unreadable if permissions hide the answer. */
export function isThere(path: string): boolean {
  return succeeds(path, () => lstatSync(path));
}

/**
 * Returns whether a file with ignore rules exists. Throws file_unreadable if it exists and cannot be read.
 */
export function isReadable(path: string): boolean {
  return succeeds(path, () => accessSync(path, constants.R_OK));
}

function succeeds(path: string, access: () => void): boolean {
  try {
    access();
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") throw unreadableError(path, error);
    return false;
  }
}

/**
 * The error for an unreadable file with ignore rules: without its rules, ignored files would be submitted.
 */
export function unreadableError(path: string, cause?: unknown): CrowdaiError {
  const message = `${path} cannot be read, so the client cannot tell which files are ignored.`;
  return new CrowdaiError("file_unreadable", message, { details: { path }, cause });
}
