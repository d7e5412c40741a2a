import { lstat, readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { CONFIG_FILE } from "@crowdai/shared/challenge-folder";

/**
 * Returns a string that changes whenever a file below the folder changes: its size, times or permissions, or
 * the target of a link. Cheap enough to compute every few seconds.
 */
export async function fingerprint(folder: string): Promise<string> {
  const parts = await fingerprintOf(folder);
  // A challenge folder may itself be a link.
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink() && (await stateOf(join(path, CONFIG_FILE))) !== "none")
      parts.push(...(await fingerprintOf(path)));
  }
  return parts.sort().join("\n");
}

async function fingerprintOf(folder: string): Promise<string[]> {
  const parts: string[] = [];
  for (const entry of await entriesOf(folder)) {
    const path = join(folder, entry.name);
    // Links are not followed: a link to / would scan the whole disk.
    if (entry.isDirectory()) parts.push(`${path}:${await modeOf(path)}`, ...(await fingerprintOf(path)));
    else if (entry.isSymbolicLink())
      parts.push(`${path}:${await readlink(path).catch(() => "")}:${await stateOf(path)}`);
    else parts.push(`${path}:${await stateOf(path)}`);
  }
  return parts;
}

const entriesOf = (folder: string) => readdir(folder, { withFileTypes: true }).catch(() => []);

const modeOf = (path: string) =>
  lstat(path).then(
    ({ mode }) => mode,
    () => 0,
  );

/**
 * Describes a file, or the target of a link. The change time also shows new permissions, and a copy with an
 * old date.
 */
async function stateOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  if (!found) return "none";
  return found.isFile() ? `${found.size}:${found.mtimeNs}:${found.ctimeNs}` : `${found.mode}`;
}
