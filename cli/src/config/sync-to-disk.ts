import { open } from "node:fs/promises";

/** Makes a file's bytes, or a folder's names, survive a power failure. */
export async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } catch (error) {
    // Windows cannot flush a folder.
    if (process.platform !== "win32") throw error;
  } finally {
    await handle.close();
  }
}
