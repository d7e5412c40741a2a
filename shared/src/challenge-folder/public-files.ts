import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type ConfigProblem, unreadable } from "./config-problems.ts";
import { digestFile } from "./file-digest.ts";

/** A file that participants may download. */
export interface PublicFile {
  /** Path below `public/`, with slashes. */
  name: string;
  size: number;
  sha256: string;
  /** Where its bytes are. */
  path: string;
}

const FOLDER = "public";
const MAX_FILES = 10_000;

/**
 * Everything below `public/` whose name does not begin with a dot, by name. A link may point to another file of `public/`; one
 * that leads out would serve what nobody meant to publish, and is a mistake.
 */
export async function publicFiles(dir: string): Promise<{ files: PublicFile[]; mistakes: ConfigProblem[] }> {
  const files: PublicFile[] = [];
  const mistakes: ConfigProblem[] = [];
  const root = await realpath(join(dir, FOLDER)).catch(() => null);
  if (root === null) return { files, mistakes };
  if (root !== join(await realpath(dir), FOLDER))
    return { files, mistakes: [{ file: FOLDER, field: "", expected: "a folder", got: "a link" }] };
  if (!(await stat(root)).isDirectory())
    return { files, mistakes: [{ file: FOLDER, field: "", expected: "a folder", got: "a file" }] };

  for (const path of await pathsBelow(root, mistakes)) {
    const name = relative(root, path).split(sep).join("/");
    if (files.length === MAX_FILES) {
      mistakes.push({ file: FOLDER, field: "", expected: `at most ${MAX_FILES} files`, got: "more" });
      break;
    }
    const got = await notServedReason(root, path);
    if (got !== null) {
      mistakes.push({ file: `${FOLDER}/${name}`, field: "", expected: "a file of public/", got });
      continue;
    }
    try {
      files.push({ name, ...(await digestFile(path)), path });
    } catch (error) {
      mistakes.push(unreadable(`${FOLDER}/${name}`, error as NodeJS.ErrnoException));
    }
  }
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { files, mistakes };
}

/** All that is no folder, hidden names left out. Not the recursive `readdir`: that follows links, and one to `/` has no end. */
async function pathsBelow(root: string, mistakes: ConfigProblem[]): Promise<string[]> {
  const paths: string[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
      mistakes.push(unreadable([FOLDER, relative(root, folder as string)].filter(Boolean).join("/"), error));
      return [];
    });
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      (entry.isDirectory() ? folders : paths).push(join(folder, entry.name));
    }
  }
  return paths;
}

async function notServedReason(root: string, path: string): Promise<string | null> {
  try {
    const real = await realpath(path);
    if (!real.startsWith(root + sep)) return "a link that leads out of it";
    if (isHidden(relative(root, real))) return "a link to a hidden file";
    return (await stat(real)).isFile() ? null : "something that is no file";
  } catch {
    return "a link that leads nowhere";
  }
}

const isHidden = (path: string) => path.split(sep).some((part) => part.startsWith("."));
