import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Returns a string that changes whenever a file below the folder changes size or modification time. Cheap
 * enough to compute every few seconds.
 */
export async function fingerprint(folder: string): Promise<string> {
  const parts: string[] = [];
  // Links are not followed: a link to / would scan the whole disk.
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) parts.push(await fingerprint(path));
    const found = entry.isFile() ? await stat(path).catch(() => null) : null;
    if (found) parts.push(`${path}:${found.size}:${found.mtimeMs}`);
  }
  return parts.sort().join("\n");
}
