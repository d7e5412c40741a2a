import { access, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { CrowdaiError } from "../protocol/errors.ts";
import { quoted } from "../protocol/suggest.ts";
import { configInvalid } from "./config-problems.ts";
import { type ChallengeFolder, CONFIG_FILE, loadChallengeFolder } from "./load-challenge-folder.ts";

/** The valid challenges, in order of folder name, and a config_invalid for each invalid folder. */
export interface LoadedChallenges {
  challenges: ChallengeFolder[];
  problems: CrowdaiError[];
}

/**
 * Loads each subfolder that has a challenge.json, or the folder itself when it has one. Invalid challenges
 * are returned, not thrown. A folder that does not exist contains no challenges.
 */
export async function loadChallenges(dir: string): Promise<LoadedChallenges> {
  const challenges: ChallengeFolder[] = [];
  const problems: CrowdaiError[] = [];
  let folders: string[];
  try {
    folders = await challengeFolders(dir);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return { challenges, problems };
    const reason = `The challenges folder ${dir} cannot be read (${code}).`;
    const next = "Name a readable folder that holds challenge folders.";
    return { challenges, problems: [new CrowdaiError("config_invalid", reason, { next, cause })] };
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
        const got = `${quoted(id)}, which ${basename(other)} also has`;
        problems.push(
          configInvalid(folder, [{ file: CONFIG_FILE, field: "id", expected: "a unique id", got }]),
        );
      }
    } catch (error) {
      if (!(error instanceof CrowdaiError)) throw error;
      problems.push(error);
    }
  }
  return { challenges, problems };
}

async function challengeFolders(dir: string): Promise<string[]> {
  if (await hasChallenge(dir)) return [dir];
  const names = (await readdir(dir)).filter((name) => !name.startsWith(".")).sort();
  const folders = await Promise.all(
    names.map((name) => join(dir, name)).map(async (path) => ((await hasChallenge(path)) ? path : null)),
  );
  return folders.filter((path) => path !== null);
}

/**
 * Also true when challenge.json cannot be read, because that is a problem to report, not a folder to skip.
 */
const hasChallenge = (dir: string) =>
  access(join(dir, CONFIG_FILE)).then(
    () => true,
    async (error) => error.code === "EACCES" && (await stat(dir)).isDirectory(),
  );
