import { createHash } from "node:crypto";
import { readdir, readlink, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { type ConfigProblem, unreadable } from "./config-problems.ts";
import { digestFile } from "./file-digest.ts";

const LENGTH = 16;
/** Folders that running an evaluator creates, or that a lock file describes. */
const IGNORED = new Set(["__pycache__", "node_modules"]);

/**
 * Returns the version of a challenge folder: a digest of the names and contents of all files except
 * `public/`, hidden files and caches. Equal folders have equal versions on every machine. Unreadable files
 * are problems.
 */
export async function folderVersion(dir: string): Promise<{ version: string; problems: ConfigProblem[] }> {
  const found: Found = { root: dir, lines: [], problems: [] };
  await collect(dir, found);
  const version = createHash("sha256").update(found.lines.sort().join("\n")).digest("hex").slice(0, LENGTH);
  return { version, problems: found.problems };
}

interface Found {
  root: string;
  lines: string[];
  problems: ConfigProblem[];
}

async function collect(folder: string, found: Found): Promise<void> {
  const nameOf = (path: string) => relative(found.root, path).split(sep).join("/");
  const refuse = (path: string, error: NodeJS.ErrnoException) => {
    // A temporary file of a running evaluator is not part of the challenge.
    if (error.code !== "ENOENT") found.problems.push(unreadable(nameOf(path), error));
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
      IGNORED.has(entry.name) ||
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

/** Returns the digest of a file, or the target of a link to anything else; null for sockets and the like. */
async function contentOf(path: string, isLink: boolean): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return (await digestFile(path)).sha256;
  return isLink ? readlink(path) : null;
}
