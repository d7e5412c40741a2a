import { access, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { CrowdaiError } from "../protocol/errors.ts";
import { quoted } from "../protocol/suggest.ts";
import { configInvalid } from "./config-problems.ts";
import { type ChallengeFolder, CONFIG_FILE, loadChallengeFolder } from "./load-challenge-folder.ts";

/** Challenges that can be served, by folder name, and what is wrong with the others: a config_invalid for each folder. */
export interface LoadedChallenges {
  challenges: ChallengeFolder[];
  mistakes: CrowdaiError[];
}

/**
 * Loads each subfolder that has a challenge.json, or the folder itself when it has one. Throws nothing for what is in it; a
 * folder that does not exist holds no challenge.
 */
export async function loadChallenges(dir: string): Promise<LoadedChallenges> {
  const challenges: ChallengeFolder[] = [];
  const mistakes: CrowdaiError[] = [];
  let folders: string[];
  try {
    folders = await challengeFolders(dir);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return { challenges, mistakes };
    const reason = `The challenges folder ${dir} cannot be read (${code}).`;
    return { challenges, mistakes: [new CrowdaiError("config_invalid", reason, { cause })] };
  }
  const known = new Map<string, string>();
  for (const folder of folders) {
    try {
      const loaded = await loadChallengeFolder(folder);
      const { id } = loaded.config;
      const other = known.get(id);
      if (other === undefined) {
        known.set(id, folder);
        challenges.push(loaded);
      } else {
        const got = `${quoted(id)}, which ${basename(other)} has`;
        mistakes.push(
          configInvalid(folder, [{ file: CONFIG_FILE, field: "id", expected: "an id of its own", got }]),
        );
      }
    } catch (error) {
      if (!(error instanceof CrowdaiError)) throw error;
      mistakes.push(error);
    }
  }
  return { challenges, mistakes };
}

async function challengeFolders(dir: string): Promise<string[]> {
  if (await holdsChallenge(dir)) return [dir];
  const names = (await readdir(dir)).filter((name) => !name.startsWith(".")).sort();
  const folders = await Promise.all(
    names.map((name) => join(dir, name)).map(async (path) => ((await holdsChallenge(path)) ? path : null)),
  );
  return folders.filter((path) => path !== null);
}

/** Also when challenge.json cannot be read: that is a mistake to be told, not a folder to be passed over. */
const holdsChallenge = (dir: string) =>
  access(join(dir, CONFIG_FILE)).then(
    () => true,
    async (error) => error.code === "EACCES" && (await stat(dir)).isDirectory(),
  );
