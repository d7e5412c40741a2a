import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ConfigProblem, unreadable } from "../challenge-folder/config-problems.ts";
import { digestFile } from "../challenge-folder/file-digest.ts";

/** A file of a bundle. */
export interface BundleFile {
  /** Path below the challenge folder, with slashes. */
  name: string;
  path: string;
  size: number;
  sha256: string;
  executable: boolean;
}

export interface BundleContents {
  /** Equal for equal names, contents and executable bits, on every machine. */
  version: string;
  files: BundleFile[];
  problems: ConfigProblem[];
}

/** The limits of a bundle, for packing and unpacking. */
export const MAX_FILES = 20_000;
export const MAX_BYTES = 4 * 1024 ** 3;
const VERSION_LENGTH = 16;

/**
 * Lists the files for a bundle of the folder: all but hidden files and Python caches. A link is a problem, because its target
 * would differ on another machine, and so is everything else that is not a file.
 */
export async function bundleContents(dir: string): Promise<BundleContents> {
  const files: BundleFile[] = [];
  const problems: ConfigProblem[] = [];
  await collect(dir, "", files, problems);
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (files.length > MAX_FILES)
    problems.push({
      file: ".",
      field: "",
      expected: `at most ${MAX_FILES} files`,
      got: String(files.length),
    });
  if (size > MAX_BYTES)
    problems.push({ file: ".", field: "", expected: `at most ${MAX_BYTES} bytes`, got: String(size) });
  const lines = files.map(({ name, sha256, executable }) => JSON.stringify([name, sha256, executable]));
  const version = createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, VERSION_LENGTH);
  return { version, files, problems };
}

async function collect(
  dir: string,
  below: string,
  files: BundleFile[],
  problems: ConfigProblem[],
): Promise<void> {
  const entries = await readdir(join(dir, below), { withFileTypes: true });
  for (const entry of entries) {
    if (entry.name.startsWith(".") || entry.name === "__pycache__" || entry.name.endsWith(".pyc")) continue;
    const name = below + entry.name;
    const path = join(dir, name);
    try {
      if (entry.isDirectory()) await collect(dir, `${name}/`, files, problems);
      else if (entry.isFile()) {
        const { mode } = await stat(path);
        files.push({ name, path, ...(await digestFile(path)), executable: (mode & 0o111) !== 0 });
      } else {
        const got = entry.isSymbolicLink() ? "a link" : "something other than a file";
        problems.push({ file: name, field: "", expected: "a file, in a challenge that is bundled", got });
      }
    } catch (error) {
      problems.push(unreadable(name, error as NodeJS.ErrnoException));
    }
  }
}
