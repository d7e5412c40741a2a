import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { syncToDisk } from "./sync-to-disk.ts";

/**
 * Replaces a file atomically: on failure, the old file stays as it was. The new one survives a power failure.
 */
export async function replaceFile(path: string, text: string, mode = 0o666): Promise<void> {
  const temporary = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(temporary, "wx", mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  // The new file is in place, and some file systems cannot flush a folder.
  await syncToDisk(dirname(path)).catch(() => {});
}
