import { accessSync, constants, lstatSync } from "node:fs";
import { CrowdaiError } from "@crowdai/shared";

/** Whether something has that path. Throws file_unreadable where that is kept from us. */
export function isThere(path: string): boolean {
  return tried(path, () => lstatSync(path));
}

/** Whether a file can be read that says what belongs to a project. Throws file_unreadable where there is one and it cannot. */
export function isReadable(path: string): boolean {
  return tried(path, () => accessSync(path, constants.R_OK));
}

function tried(path: string, look: () => void): boolean {
  try {
    look();
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") throw unreadableError(path, error);
    return false;
  }
}

/** To go on without it would take what nobody wanted to give away. */
export function unreadableError(path: string, cause?: unknown): CrowdaiError {
  const message = `${path} cannot be read, and it says what of the project is left out.`;
  return new CrowdaiError("file_unreadable", message, { details: { path }, cause });
}
