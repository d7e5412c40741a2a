import { statSync } from "node:fs";
import { relative } from "node:path";
import { nameCollisions } from "@crowdai/shared";
import type { BytePath } from "../../git/byte-path.ts";
import { onDisk, shownPath } from "../../git/byte-path.ts";
import { isInside } from "../../git/is-inside.ts";
import type { LeftOut } from "../files/left-out.ts";
import type { ListedFiles } from "../files/list-files.ts";
import { unportableName } from "./portable-names.ts";
import { secretByName } from "./secret-names.ts";

/** Returns the paths whose names are acceptable, sorted. Adds the others to `leftOut`. */
export function filterNames(
  { folder, ours = [] }: { folder: string; ours?: readonly string[] | undefined },
  { paths }: ListedFiles,
  leftOut: LeftOut[],
): BytePath[] {
  const own = ours.filter((path) => isInside(path, folder) && path !== folder);
  const ownPrefixes = own.map((path) => `${Buffer.from(relative(folder, path)).toString("latin1")}/`);
  const bare = bareRepositories(folder, paths);
  const collision = nameCollisions();
  return [...paths].sort().filter((path) => {
    if (ownPrefixes.some((prefix) => path.startsWith(prefix))) return false;
    const reason = nameReason(path, bare) ?? sameAs(collision(shownPath(path)));
    if (reason) leftOut.push({ path, reason });
    return reason === null;
  });
}

function sameAs(other: string | null): string | null {
  return other === null ? null : `it differs from ${other} only in case`;
}

function nameReason(path: BytePath, bare: readonly string[]): string | null {
  const secret = secretByName(path);
  if (secret) return `files of this name contain ${secret}`;
  if (/(^|\/)\.gitmodules$/i.test(path)) return "the files of submodules are included directly";
  if (bare.some((prefix) => path.startsWith(prefix)))
    return "part of a git repository without a working tree";
  return unportableName(path);
}

/** Finds folders that git would treat as a repository, obeying their settings, in a checkout of the snapshot. */
function bareRepositories(folder: string, paths: readonly BytePath[]): string[] {
  return paths
    .filter((path) => path.endsWith("/HEAD"))
    .map((path) => path.slice(0, -"HEAD".length))
    .filter((prefix) => ["objects", "refs"].every((name) => isFolder(onDisk(folder, prefix + name))));
}

function isFolder(path: string | Buffer): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
