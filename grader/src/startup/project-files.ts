import { execFile } from "node:child_process";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { CrowdaiError } from "@crowdai/shared";
import { packTar, type TarEntry } from "modern-tar";

/** A project as the client would submit it. */
export interface ProjectCode {
  archive: Buffer;
  files: number;
  /** The command that crowdai.json names, if any. */
  command: string[] | null;
}

const LEFT_OUT = new Set([".git", "node_modules", "__pycache__", ".venv"]);
const MAX_LISTING_BYTES = 64 * 1024 * 1024;

/**
 * Packs the files of a project: in a git repository, those that git does not ignore. Throws usage for a
 * folder that cannot be read, and code_too_large.
 */
export async function packProject(project: string, maxBytes: number): Promise<ProjectCode> {
  const { dir, command } = await projectSettings(resolve(project));
  const names = (await gitFiles(dir)) ?? (await allFiles(dir, ""));
  const entries: TarEntry[] = [];
  let bytes = 0;
  for (const name of names) {
    const path = join(dir, name);
    const found = await lstat(path).catch(() => null);
    if (found?.isSymbolicLink())
      entries.push({ header: { name, type: "symlink", linkname: await readlink(path), size: 0 } });
    if (!found?.isFile()) continue;
    bytes += found.size;
    if (bytes > maxBytes)
      throw new CrowdaiError(
        "code_too_large",
        `The code has more than ${maxBytes} bytes, the most that the challenge accepts.`,
      );
    const body = await readFile(path);
    const mode = (found.mode & 0o111) === 0 ? 0o644 : 0o755;
    entries.push({ header: { name, type: "file", mode, size: body.length }, body });
  }
  return { archive: Buffer.from(await packTar(entries)), files: entries.length, command };
}

/** Reads what crowdai.json says about code. The client checks the rest of it. */
async function projectSettings(project: string): Promise<{ dir: string; command: string[] | null }> {
  const found = await lstat(project).catch(() => null);
  if (!found?.isDirectory()) throw new CrowdaiError("usage", `${project} is not a folder.`);
  const path = join(project, "crowdai.json");
  const text = await readFile(path, "utf8").catch(() => "{}");
  let code: unknown;
  try {
    ({ code } = JSON.parse(text) as { code?: unknown });
  } catch (error) {
    throw new CrowdaiError("config_invalid", `${path} is not valid JSON: ${(error as Error).message}`);
  }
  const { dir, command } = (typeof code === "object" && code !== null ? code : {}) as Record<string, unknown>;
  const isCommand =
    Array.isArray(command) && command.length > 0 && command.every((word) => typeof word === "string");
  return {
    dir: resolve(project, typeof dir === "string" ? dir : "."),
    command: isCommand ? (command as string[]) : null,
  };
}

/** Returns null outside a git repository. */
async function gitFiles(dir: string): Promise<string[] | null> {
  try {
    const { stdout } = await promisify(execFile)(
      "git",
      ["-C", dir, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
      { maxBuffer: MAX_LISTING_BYTES },
    );
    return stdout.split("\0").filter(Boolean);
  } catch {
    return null;
  }
}

async function allFiles(dir: string, below: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(dir, below), { withFileTypes: true })) {
    if (LEFT_OUT.has(entry.name)) continue;
    if (entry.isDirectory()) names.push(...(await allFiles(dir, `${below}${entry.name}/`)));
    else names.push(below + entry.name);
  }
  return names;
}
