import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { type BytePath, onDisk, shownPath } from "../../git/byte-path.ts";
import { type CleanGit, GitFailure } from "../../git/clean-git.ts";
import { readUserSettings, type UserGitSettings } from "../../git/git-config.ts";
import { checkIgnoreFile, checkIgnoreFiles } from "../../git/ignore-rules.ts";
import { unreadableError } from "../../git/path-access.ts";
import { makeShadowRepository, SPARSE_INDEX } from "../../git/shadow-repository.ts";
import { repositoryAt, type UserRepository } from "../../git/user-repository.ts";
import { writeDefaults } from "./default-excludes.ts";
import type { LeftOut } from "./left-out.ts";
import { linkedFolders } from "./linked-folders.ts";
import { lister, readTracked } from "./ls-files.ts";
import { lstatEntry } from "./read-file.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface ListedFiles {
  /** Files and links of the project, in no particular order. */
  paths: BytePath[];
  leftOut: LeftOut[];
  notes: string[];
  /** Whether there is a file that git does not track, or a submodule at another commit. */
  untracked: boolean;
  /** Submodules and nested repositories whose files are listed too. */
  nested: { repository: UserRepository; listed: ListedFiles }[];
  /** Whether the index may tell git not to look at some files of the working tree. */
  mayHaveFlags: boolean;
  /** The shadow repository that the list was read through. */
  reader: string;
  settings: UserGitSettings;
}

export interface ListFilesOptions {
  git: CleanGit;
  env: Env;
  /** Root of the working tree. */
  top: string;
  /** The part of the working tree to list; "" for all of it. */
  within: string;
  repository: UserRepository | null;
  /**
   * Patterns as in .gitignore. Excluded files are never taken; included files are taken even if they are
   * ignored.
   */
  exclude: readonly string[];
  include: readonly string[];
  /** A temporary folder of this run. */
  scratch: string;
}

/** Maximum depth of repositories within repositories. */
const MAX_NESTED = 10;

/**
 * Lists the files of a project: tracked files that are in the working tree, and files that are neither
 * tracked nor ignored. Git lists them through a shadow repository. Submodules and nested repositories are
 * listed by their own rules. Throws file_unreadable if a file with ignore rules cannot be read,
 * ignore_rules_invalid if it cannot be parsed.
 */
export async function listFiles(listing: ListFilesOptions, depth = 0): Promise<ListedFiles> {
  const { git, env, within, repository, scratch } = listing;
  const settings = await readUserSettings(git, repository, env);
  for (const file of settings.excludeFiles) checkIgnoreFile(realpathSync(file));
  mkdirSync(scratch, { recursive: true });
  const reader = makeShadowRepository(join(scratch, `reader-${depth}`), repository, settings);
  const list = lister(listing, reader);
  const sparse = existsSync(join(reader, SPARSE_INDEX)) ? ["--sparse"] : [];

  const strip = within === "" ? 0 : Buffer.byteLength(within) + 1;
  let unknown: string | undefined;
  const onWarning = (text: string) => {
    // A folder that cannot be entered has no files that could be submitted by mistake.
    for (const [, path] of text.matchAll(/unable to access '(.*)': Permission denied/g))
      if (lstatEntry(join(listing.top, path!)) !== "unreadable") unknown ??= path;
    for (const [, path] of text.matchAll(/could not open directory '(.*\/)': /g)) {
      const shown = Buffer.from(path!).toString("latin1").slice(strip);
      found.leftOut.push({ path: shown, reason: "the folder cannot be read" });
    }
  };
  const found: ListedFiles = {
    paths: [],
    leftOut: [],
    notes: [],
    untracked: false,
    mayHaveFlags: true,
    nested: [],
    reader,
    settings,
  };
  const excludes = [
    ...(repository ? [] : ["-X", writeDefaults(scratch)]),
    ...settings.excludeFiles.flatMap((file) => ["-X", file]),
    ...listing.exclude.flatMap((pattern) => ["-x", pattern]),
  ];
  const [others, tracked, dropped, included] = await Promise.all([
    list(["-o", "--exclude-standard", ...excludes], { index: "none", onWarning }),
    repository ? list(["-s", "-t", "-v", ...sparse], { index: "index" }) : [],
    repository && listing.exclude.length > 0
      ? list(["-c", "-i", ...sparse, ...listing.exclude.flatMap((pattern) => ["-x", pattern])], {
          index: "index",
        })
      : [],
    listing.include.length > 0
      ? list(["-o", "-i", ...listing.include.flatMap((pattern) => ["-x", pattern])], { index: "none" })
      : [],
  ]).catch((failure) => {
    throw failure instanceof GitFailure && repository ? indexUnreadable(repository, failure) : failure;
  });

  if (unknown !== undefined) throw unreadableError(join(listing.top, unknown));
  const droppedPaths = new Set(dropped);
  const paths = new Set<BytePath>();
  const nested = new Set<BytePath>();
  const known = readTracked(tracked, (path) => lstatEntry(onDisk(listing.top, path)) === "missing");
  for (const path of [...others, ...included]) {
    if (droppedPaths.has(path)) continue;
    if (path.endsWith("/")) nested.add(path.slice(0, -1));
    else paths.add(path);
  }
  checkIgnoreFiles(listing.top, [...paths, ...nested, `${within}/`]);
  found.untracked =
    [...paths].some((path) => !known.files.has(path)) || [...nested].some((path) => !known.modules.has(path));
  // Without the rest of the working tree, nothing is known of its entries.
  found.mayHaveFlags = within !== "" || known.hasFlags;
  for (const path of known.files) if (!droppedPaths.has(path)) paths.add(path);
  for (const path of known.modules.keys()) if (!droppedPaths.has(path)) nested.add(path);
  if (known.skipped > 0)
    found.notes.push(
      known.skipped === 1
        ? "1 tracked file is outside the sparse checkout and is not included."
        : `${known.skipped} tracked files are outside the sparse checkout and are not included.`,
    );

  const flagged = known.flagged.filter((path) => !droppedPaths.has(path));
  if (flagged.length > 0)
    found.notes.push(
      `Marked skip-worktree or assume-unchanged, and included as in the working tree: ${someNames(flagged.map((path) => path.slice(strip)))}.`,
    );

  for (const path of paths) found.paths.push(path.slice(strip));
  for (const path of nested)
    await addNested(listing, found, { path, recorded: known.modules.get(path) }, strip, depth).catch(
      (error) => {
        if (!(error instanceof CrowdaiError && error.code === "file_unreadable")) throw error;
        found.leftOut.push({
          path: `${path.slice(strip)}/`,
          reason: "a nested repository that cannot be read",
        });
      },
    );
  return found;
}

const MAX_NAMED = 5;

function someNames(paths: readonly BytePath[]): string {
  const names = paths.slice(0, MAX_NAMED).map(shownPath).join(", ");
  return paths.length > MAX_NAMED ? `${names} and ${paths.length - MAX_NAMED} more` : names;
}

/** The error if git cannot read the index, which lists the tracked files. */
function indexUnreadable({ index }: UserRepository, failure: GitFailure): CrowdaiError {
  const reason = failure.stderr.trim().split("\n").at(-1);
  return new CrowdaiError("file_unreadable", `Git cannot list the files of ${index}: ${reason}`, {
    next: "Check the repository with `git status`.",
    details: { path: index },
    cause: failure,
  });
}

async function addNested(
  listing: ListFilesOptions,
  found: ListedFiles,
  { path, recorded }: { path: BytePath; recorded: string | undefined },
  strip: number,
  depth: number,
): Promise<void> {
  const shown = path.slice(strip);
  const folder = join(listing.top, Buffer.from(path, "latin1").toString());
  // A link is listed as such, and what it points to is not part of the project.
  if (linkedFolders(listing.top)(`${path}/`)) return;
  const repository = repositoryAt(folder);
  if (!repository || depth >= MAX_NESTED) {
    const reason = repository ? "repositories are nested too deeply" : "a submodule that is not checked out";
    found.leftOut.push({ path: `${shown}/`, reason });
    return;
  }
  const inside = await listFiles(
    {
      ...listing,
      top: realpathSync(folder),
      within: "",
      repository,
      scratch: join(listing.scratch, `nested-${found.notes.length}-${found.paths.length}`),
    },
    depth + 1,
  );
  for (const name of inside.paths) found.paths.push(`${shown}/${name}`);
  for (const { path: name, reason } of inside.leftOut)
    found.leftOut.push({ path: `${shown}/${name}`, reason });
  found.notes.push(
    `${Buffer.from(shown, "latin1").toString()} is a nested repository; its files are included as they are in its working tree.`,
    ...inside.notes,
  );
  if (inside.untracked || repository.head !== recorded) found.untracked = true;
  found.nested.push({ repository, listed: inside });
}
