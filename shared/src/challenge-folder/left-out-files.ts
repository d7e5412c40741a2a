import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { obeyedName } from "../protocol/obeyed-name.ts";

export interface LeftOut {
  /** Path below the challenge folder; a folder that is left out as a whole ends with a slash. */
  file: string;
  reason: string;
}

/** Lists what is in `public/` and does not reach participants, because of its name. */
export async function leftOutFiles(dir: string): Promise<LeftOut[]> {
  const found: LeftOut[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(join(dir, "public", folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const name = `${folder}${entry.name}`;
      const isFolder = entry.isDirectory();
      const reason = obeyedName(isFolder ? `${entry.name}/file` : entry.name);
      if (reason !== null) found.push({ file: `public/${name}${isFolder ? "/" : ""}`, reason });
      else if (isFolder) folders.push(`${name}/`);
    }
  }
  return found.sort((a, b) => (a.file < b.file ? -1 : 1));
}
