import { createHash } from "node:crypto";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { digestFile } from "@crowdai/shared/challenge-folder";

/** Returns the SHA-256 of a file, or of the names, contents, executable bits and link targets in a folder. */
export async function digestTree(path: string): Promise<string> {
  const found = await lstat(path);
  if (found.isFile()) return (await digestFile(path)).sha256;
  const lines: string[] = [];
  await collect(path, "", lines);
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

async function collect(root: string, below: string, lines: string[]): Promise<void> {
  for (const entry of await readdir(join(root, below), { withFileTypes: true })) {
    const name = below + entry.name;
    const path = join(root, name);
    if (entry.isDirectory()) {
      lines.push(JSON.stringify([name, "folder"]));
      await collect(root, `${name}/`, lines);
    } else if (entry.isSymbolicLink()) lines.push(JSON.stringify([name, "link", await readlink(path)]));
    else if (entry.isFile()) {
      const isExecutable = ((await lstat(path)).mode & 0o111) !== 0;
      lines.push(JSON.stringify([name, (await digestFile(path)).sha256, isExecutable]));
    }
  }
}
