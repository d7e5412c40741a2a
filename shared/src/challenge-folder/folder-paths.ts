import { lstat } from "node:fs/promises";
import { join, posix } from "node:path";
import { quoted } from "../protocol/suggest.ts";
import type { ConfigProblem } from "./config-problems.ts";

export type PathKind = "file" | "folder" | "file or folder";
export type PathProblem = Omit<ConfigProblem, "file" | "field">;

/**
 * Returns what is wrong with a path that challenge.json names; null when it is of the kind, and inside the
 * folder.
 */
export async function unfitPath(dir: string, path: string, kind: PathKind): Promise<PathProblem | null> {
  const wrong = (reason: string) => ({
    expected: `a ${kind} of the challenge folder`,
    got: `${quoted(path)}, which ${reason}`,
  });
  const inside = plainPath(path);
  if (posix.isAbsolute(inside) || inside.split("/")[0] === "..") return wrong("leads out of it");
  if (inside === ".") return wrong("is the challenge folder itself");
  const found = await lstat(join(dir, inside)).catch(() => null);
  if (!found) return wrong("does not exist");
  if (found.isSymbolicLink()) return wrong("is a link");
  if (found.isDirectory() ? kind === "file" : !found.isFile() || kind === "folder")
    return wrong(`is ${found.isDirectory() ? "a folder" : "a file"}`);
  return null;
}

export const plainPath = (path: string) => posix.normalize(path).replace(/\/$/, "");

/** Whether one path is the other, or contains it. */
export const overlap = (a: string, b: string) => `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
