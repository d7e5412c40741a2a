import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileNameProblem, nameCollisions } from "../protocol/file-name.ts";
import { type ConfigProblem, unreadable } from "./config-problems.ts";
import { digestFile } from "./file-digest.ts";

/** A file that participants may download. */
export interface PublicFile {
  /** Path below `public/`, with slashes. */
  name: string;
  size: number;
  sha256: string;
  /** The path of the file on disk. */
  path: string;
}

const FOLDER = "public";
const MAX_FILES = 10_000;

/**
 * Lists the files below `public/` whose names do not start with a dot, sorted by name. A link may point to
 * another file in `public/`. A link that leads out could publish private files, and is a problem; so is a
 * name that not every participant's machine can store.
 */
export async function publicFiles(dir: string): Promise<{ files: PublicFile[]; problems: ConfigProblem[] }> {
  const files: PublicFile[] = [];
  const problems: ConfigProblem[] = [];
  const root = await realpath(join(dir, FOLDER)).catch(() => null);
  if (root === null) return { files, problems };
  if (root !== join(await realpath(dir), FOLDER))
    return { files, problems: [{ file: FOLDER, field: "", expected: "a folder", got: "a link" }] };
  if (!(await stat(root)).isDirectory())
    return { files, problems: [{ file: FOLDER, field: "", expected: "a folder", got: "a file" }] };

  const collision = nameCollisions();
  for (const path of await pathsBelow(root, problems)) {
    const name = relative(root, path).split(sep).join("/");
    const unfit = fileNameProblem(name) ?? sameAs(collision(name));
    if (unfit !== null) {
      const expected = "a name that works on every machine";
      problems.push({ file: `${FOLDER}/${name}`, field: "", expected, got: unfit });
      continue;
    }
    if (files.length === MAX_FILES) {
      problems.push({ file: FOLDER, field: "", expected: `at most ${MAX_FILES} files`, got: "more" });
      break;
    }
    const got = await notServedReason(root, path);
    if (got !== null) {
      problems.push({ file: `${FOLDER}/${name}`, field: "", expected: "a file in public/", got });
      continue;
    }
    try {
      files.push({ name, ...(await digestFile(path)), path });
    } catch (error) {
      problems.push(unreadable(`${FOLDER}/${name}`, error as NodeJS.ErrnoException));
    }
  }
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { files, problems };
}

/**
 * Lists everything that is not a folder, without hidden names. Does not use the recursive `readdir`, which
 * follows links, even to `/`.
 */
async function pathsBelow(root: string, problems: ConfigProblem[]): Promise<string[]> {
  const paths: string[] = [];
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
      problems.push(unreadable([FOLDER, relative(root, folder as string)].filter(Boolean).join("/"), error));
      return [];
    });
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      (entry.isDirectory() ? folders : paths).push(join(folder, entry.name));
    }
  }
  return paths.sort();
}

function sameAs(other: string | null): string | null {
  return other === null ? null : `it differs from ${other} only in case`;
}

async function notServedReason(root: string, path: string): Promise<string | null> {
  try {
    const real = await realpath(path);
    if (!real.startsWith(root + sep)) return "a link that leads out of public/";
    if (isHidden(relative(root, real))) return "a link to a hidden file";
    return (await stat(real)).isFile() ? null : "something other than a file";
  } catch {
    return "a broken link";
  }
}

const isHidden = (path: string) => path.split(sep).some((part) => part.startsWith("."));
