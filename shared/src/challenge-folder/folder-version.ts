import { createHash } from "node:crypto";
import { readdir, readlink, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { digestFile } from "./file-digest.ts";

const LENGTH = 16;
/** What running an evaluator leaves behind, or what a lock file stands for. */
const LEFT_OUT = new Set(["__pycache__", "node_modules"]);

/**
 * The version of what grades a challenge: a digest of the names and contents of all files but `public/`, hidden ones, and what
 * running them leaves behind. Equal folders have equal versions wherever they are.
 */
export async function folderVersion(dir: string): Promise<string> {
  const lines: string[] = [];
  await collect(dir, dir, lines);
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex").slice(0, LENGTH);
}

async function collect(root: string, folder: string, lines: string[]): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const name = relative(root, path).split(sep).join("/");
    if (
      name === "public" ||
      entry.name.startsWith(".") ||
      LEFT_OUT.has(entry.name) ||
      entry.name.endsWith(".pyc")
    )
      continue;
    if (entry.isDirectory()) await collect(root, path, lines);
    else {
      const content = await contentOf(path, entry.isSymbolicLink());
      if (content !== null) lines.push(JSON.stringify([name, content]));
    }
  }
}

/** The digest of a file; of a link to anything but a file, where it leads; null for sockets and the like. */
async function contentOf(path: string, isLink: boolean): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return (await digestFile(path)).sha256;
  return isLink ? readlink(path) : null;
}
