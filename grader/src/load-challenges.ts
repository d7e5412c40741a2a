import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { asCrowdaiError, CrowdaiError } from "@crowdai/shared";
import { type ChallengeFolder, loadChallengeFolder } from "@crowdai/shared/challenge-folder";

/**
 * The challenges under a folder, by id; with `only`, those named. Throws config_invalid with every mistake found in any
 * of them.
 */
export async function loadChallenges(
  dir: string,
  only: readonly string[] | null,
): Promise<ReadonlyMap<string, ChallengeFolder>> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause) => {
    throw new CrowdaiError("config_invalid", `The challenges folder ${dir} cannot be read (${cause.code}).`, { cause });
  });
  const mistakes: string[] = [];
  const loaded = new Map<string, ChallengeFolder>();
  for (const entry of entries) {
    if (!(entry.isDirectory() || entry.isSymbolicLink()) || entry.name.startsWith(".")) continue;
    try {
      const folder = await loadChallengeFolder(join(dir, entry.name));
      if (!only || only.includes(folder.config.id)) loaded.set(folder.config.id, folder);
    } catch (error) {
      mistakes.push(asCrowdaiError(error).message);
    }
  }
  for (const id of only ?? []) if (!loaded.has(id)) mistakes.push(`--only names ${id}, but ${dir} has no such challenge.`);
  if (mistakes.length > 0) throw new CrowdaiError("config_invalid", mistakes.join("\n"), { details: { mistakes } });
  if (loaded.size === 0) throw new CrowdaiError("config_invalid", `${dir} holds no challenge.`);
  return loaded;
}
