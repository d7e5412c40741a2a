import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { makeFolder } from "@crowdai/shared/make-folder";
import type { UserGitSettings } from "./git-config.ts";
import type { UserRepository } from "./user-repository.ts";

/**
 * Creates a small repository through which git reads the user's files: a copy of the index, a reference to
 * the user's objects, and none of the user's configuration. If the user has no repository, it is empty. Git
 * refreshes the copy of the index, never the original. Returns the folder.
 */
export function makeShadowRepository(
  folder: string,
  repository: UserRepository | null,
  { objectFormat, core }: Pick<UserGitSettings, "objectFormat" | "core">,
): string {
  for (const part of ["objects/info", "refs", "info"]) makeFolder(join(folder, part), 0o700);
  writeFileSync(join(folder, "HEAD"), "ref: refs/heads/none\n");
  const isSparse = repository !== null && hasSparseIndex(repository.index);
  writeFileSync(
    join(folder, "config"),
    [
      "[core]",
      `\trepositoryformatversion = ${objectFormat === "sha256" ? 1 : 0}`,
      "\tfilemode = true",
      ...Object.entries(core).map(([name, value]) => `\t${name} = ${value}`),
      ...(isSparse ? ["\tsparseCheckout = true", "\tsparseCheckoutCone = true"] : []),
      ...(objectFormat === "sha256" ? ["[extensions]", "\tobjectformat = sha256"] : []),
      ...(isSparse ? ["[index]", "\tsparse = true"] : []),
      "",
    ].join("\n"),
  );
  if (!repository) return folder;
  if (isSparse) {
    tryCopy(join(repository.gitDir, "info", "sparse-checkout"), join(folder, "info", "sparse-checkout"));
    writeFileSync(join(folder, SPARSE_INDEX), "");
  }
  writeFileSync(join(folder, "objects/info/alternates"), `${join(repository.commonDir, "objects")}\n`);
  if (existsSync(repository.index)) {
    tryCopy(repository.index, join(folder, "index"));
    // A split index stores its larger part in a file next to it.
    for (const name of readdirSync(repository.gitDir))
      if (name.startsWith("sharedindex.")) tryCopy(join(repository.gitDir, name), join(folder, name));
  }
  return folder;
}

/** Marker file of a shadow repository with a sparse index: each folder outside the checkout is one entry. */
export const SPARSE_INDEX = "has-sparse-index";

function hasSparseIndex(index: string): boolean {
  try {
    return readFileSync(index).includes("sdir\0\0\0\0", 0, "latin1");
  } catch {
    return false;
  }
}

/**
 * Copies a file if it exists, with its time: git compares it with those of the files to know which may have
 * changed.
 */
function tryCopy(from: string, to: string): void {
  try {
    const { mtimeMs } = statSync(from);
    copyFileSync(from, to);
    const time = Math.floor(mtimeMs) / 1000;
    utimesSync(to, time, time);
  } catch (cause) {
    // Replaced in the meantime: git puts a new shared index in place before it removes the old one.
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new CrowdaiError("file_unreadable", `${from} cannot be read.`, { details: { path: from }, cause });
  }
}
