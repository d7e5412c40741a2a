import { rmSync } from "node:fs";

/**
 * Removes a note or cache. One that cannot be removed is harmless: it is out of date, or is checked before it
 * is used.
 */
export function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // As above.
  }
}
