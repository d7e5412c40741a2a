import { readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "@crowdai/shared/make-folder";
import { systemCodeOf } from "@crowdai/shared/system-code";
import { siteFiles } from "./site-files.ts";

export interface WrittenSite {
  written: string[];
  /** Files that were there; nothing of them changed. */
  kept: string[];
}

/**
 * Writes the files of a folder and leaves every file that exists as it is. A folder that has challenges gets
 * no other: files of two challenges must not mix.
 */
export async function writeSite(folder: string, publicUrl: string | null): Promise<WrittenSite> {
  makeFolder(folder);
  const hasChallenges = (await entriesOf(join(folder, "challenges"))).length > 0;
  const site: WrittenSite = { written: [], kept: hasChallenges ? ["challenges/"] : [] };
  for (const { path, text, isPrivate } of siteFiles(folder, publicUrl)) {
    if (hasChallenges && path.startsWith("challenges/")) continue;
    const file = join(folder, path);
    makeFolder(dirname(file));
    try {
      await writeFile(file, text, { flag: "wx", mode: isPrivate ? 0o600 : 0o644 });
      site.written.push(path);
    } catch (error) {
      if (systemCodeOf(error) !== "EEXIST") throw error;
      site.kept.push(path);
    }
  }
  return site;
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return [];
    throw error;
  }
}
