import { createHash } from "node:crypto";
import { readdir, readlink, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type ConfigProblem, unreadable } from "./config-problems.ts";
import { digestFile } from "./file-digest.ts";

const LENGTH = 16;
/** What running an evaluator leaves behind, or what a lock file stands for. */
const LEFT_OUT = new Set(["__pycache__", "node_modules"]);

/**
 * The version of what grades a challenge: a digest of the names and contents of all files but `public/`, hidden ones, and what
 * running them leaves behind. Equal folders have equal versions wherever they are. Files that cannot be read are mistakes.
 */
export async function folderVersion(dir: string): Promise<{ version: string; mistakes: ConfigProblem[] }> {
  const found: Found = { root: dir, lines: [], mistakes: [] };
  await collect(dir, found);
  const version = createHash("sha256").update(found.lines.sort().join("\n")).digest("hex").slice(0, LENGTH);
  return { version, mistakes: found.mistakes };
}

interface Found {
  root: string;
  lines: string[];
  mistakes: ConfigProblem[];
}

async function collect(folder: string, found: Found): Promise<void> {
  const nameOf = (path: string) => relative(found.root, path).split(sep).join("/");
  const refuse = (path: string, error: NodeJS.ErrnoException) => {
    // What an evaluator that is running removes again is no part of the challenge.
    if (error.code !== "ENOENT") found.mistakes.push(unreadable(nameOf(path), error));
  };
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    refuse(folder, error);
    return [];
  });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    const name = nameOf(path);
    if (
      name === "public" ||
      entry.name.startsWith(".") ||
      LEFT_OUT.has(entry.name) ||
      entry.name.endsWith(".pyc")
    )
      continue;
    if (entry.isDirectory()) await collect(path, found);
    else
      try {
        const content = await contentOf(path, entry.isSymbolicLink());
        if (content !== null) found.lines.push(JSON.stringify([name, content]));
      } catch (error) {
        refuse(path, error as NodeJS.ErrnoException);
      }
  }
}

/** The digest of a file; of a link to anything but a file, where it leads; null for sockets and the like. */
async function contentOf(path: string, isLink: boolean): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return (await digestFile(path)).sha256;
  return isLink ? readlink(path) : null;
}
