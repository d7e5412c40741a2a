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

/**
 * Returns the paths whose names are acceptable, sorted, each once. Adds the others to `leftOut`. `known` are
 * paths that this function accepted together before: their names are not checked again.
 */
export function filterNames(
  { folder, ours = [] }: { folder: string; ours?: readonly string[] | undefined },
  { paths }: ListedFiles,
  leftOut: LeftOut[],
  known: { has(path: BytePath): boolean },
): BytePath[] {
  const own = ours.filter((path) => isInside(path, folder) && path !== folder);
  const ownPrefixes = own.map((path) => `${Buffer.from(relative(folder, path)).toString("latin1")}/`);
  const bare = bareRepositories(folder, paths);
  const keep = (path: BytePath, reason: string | null): boolean => {
    if (reason !== null) leftOut.push({ path, reason });
    return reason === null;
  };
  const sorted = [...paths].sort();
  const named = sorted.filter((path, i) => {
    // The files of a repository that was made in a folder of tracked files are listed by both.
    if (path === sorted[i - 1] || ownPrefixes.some((prefix) => path.startsWith(prefix))) return false;
    return keep(path, (known.has(path) ? null : nameReason(path)) ?? insideBare(path, bare));
  });
  // Among names that did not collide before, none does.
  if (named.every((path) => known.has(path))) return named;
  const collision = nameCollisions();
  return named.filter((path) => keep(path, sameAs(collision(shownPath(path)))));
}

function sameAs(other: string | null): string | null {
  return other === null ? null : `it differs from ${other} only in case`;
}

/** Depends on the name alone. */
function nameReason(path: BytePath): string | null {
  const secret = secretByName(path);
  if (secret) return `files of this name contain ${secret}`;
  if (/(^|\/)\.gitmodules$/i.test(path)) return "the files of submodules are included directly";
  return unportableName(path);
}

function insideBare(path: BytePath, bare: readonly string[]): string | null {
  const isInside = bare.some((prefix) => path.startsWith(prefix));
  return isInside ? "part of a git repository without a working tree" : null;
}

/**
 * Finds folders that git would treat as a repository, obeying their settings, in a checkout of the snapshot.
 */
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
