import { accessSync, constants } from "node:fs";
import { join, relative, sep } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import type { BytePath } from "../git/byte-path.ts";
import { GitFailure } from "../git/clean-git.ts";
import { brokenGit, repositoryAround } from "../git/user-repository.ts";
import { type Dirty, isDirty } from "./files/dirty.ts";
import type { LeftOut } from "./files/left-out.ts";
import { listFiles } from "./files/list-files.ts";
import { findSpecial } from "./files/special-files.ts";
import { statFiles } from "./files/stat-files.ts";
import { type Caps, checkCaps } from "./filters/caps.ts";
import type { SecretFinding } from "./filters/check-content.ts";
import { filterNames } from "./filters/filter-names.ts";
import type { Store } from "./store/snapshot-store.ts";
import { readStatCache, type StatCache, writeStatCache } from "./store/stat-cache.ts";
import { writeTree } from "./write-tree.ts";

type Env = Readonly<Record<string, string | undefined>>;

export interface TakeOptions {
  store: Store;
  /** Real path of the project's folder. */
  folder: string;
  env: Env;
  exclude?: readonly string[];
  include?: readonly string[];
  caps: Caps;
  /** Includes files even if secrets were found in them. */
  allowSecrets?: boolean;
  /** Folders of this client, which never belong to a project. */
  ours?: readonly string[];
  signal?: AbortSignal;
}

export interface Snapshot {
  folder: string;
  tree: string;
  files: { path: BytePath; size: number }[];
  bytes: number;
  leftOut: LeftOut[];
  notes: string[];
  /** Secrets that are included because `allowSecrets` was set. */
  findings: SecretFinding[];
  head: string;
  branch: string | null;
  dirty: Dirty;
  author: { name: string | null; email: string | null };
}

/**
 * Stores the current files of a project as a tree. Reads the user's files and a copy of the index; writes
 * nothing outside the store. Throws code_secrets, code_too_large, file_unreadable, ignore_rules_invalid,
 * git_missing, interrupted.
 */
export async function takeSnapshot(options: TakeOptions): Promise<Snapshot> {
  try {
    return await takeOnce(options);
  } catch (failure) {
    // The store may be damaged, for example by a full disk. An empty one works, or its failure is the real
    // reason.
    if (options.signal?.aborted) throw new CrowdaiError("interrupted");
    if (![failure, (failure as Error).cause].some((error) => error instanceof GitFailure)) throw failure;
    try {
      await options.store.reset();
      return await takeOnce(options);
    } catch (again) {
      throw unwritable(again, options.store.folder) ?? again;
    }
  }
}

/** Returns file_unwritable if the store's disk is full or read-only, else null. */
function unwritable(failure: unknown, path: string): CrowdaiError | null {
  const { message, code } = failure as NodeJS.ErrnoException;
  const text = failure instanceof GitFailure ? failure.stderr : `${code} ${message}`;
  const reason = text.match(
    /No space left on device|Disk quota exceeded|Read-only file system|ENOSPC|EDQUOT|EROFS/,
  )?.[0];
  if (!reason) return null;
  const title = `The code cannot be stored in ${path}: ${reason}.`;
  return new CrowdaiError("file_unwritable", title, { details: { path, reason }, cause: failure });
}

async function takeOnce(options: TakeOptions): Promise<Snapshot> {
  const { store, folder, caps, signal } = options;
  requireAccess(folder);
  const repository = repositoryAround(folder);
  const listing = listFiles({
    git: store.git,
    env: options.env,
    top: repository?.top ?? folder,
    within: relative(repository?.top ?? folder, folder)
      .split(sep)
      .join("/"),
    repository,
    exclude: options.exclude ?? [],
    include: options.include ?? [],
    scratch: join(store.scratch, `listing-${performance.now()}`),
  });
  // Read while git lists the files.
  const caching = usableCache(store);
  const listed = await listing;
  const cached = await caching;
  const broken = brokenGit(folder, repository);
  const leftOut = [...listed.leftOut];
  const wanted = filterNames(options, listed, leftOut, cached?.files ?? new Map());
  signal?.throwIfAborted();

  const dirty = isDirty(store.git, repository, listed);
  const found = await statFiles(folder, wanted, leftOut);
  checkCaps(found, caps);
  const written = await writeTree(options, found, cached, leftOut);
  const { tree, findings, unsteady } = written;
  const { special, folders } = findSpecial(folder, wanted, cached?.folders ?? new Map());
  if (!written.isUnchanged || !isSame(folders, cached?.folders))
    writeStatCache(store.cache, { tree, files: written.files, folders });
  const reported = new Set(leftOut.map(({ path }) => path));
  leftOut.push(...special.filter(({ path }) => !reported.has(path)));

  const files = [...written.files].map(([path, { size }]) => ({ path, size }));
  return {
    folder,
    tree,
    files,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    leftOut: leftOut.sort((a, b) => (a.path < b.path ? -1 : 1)),
    notes: [...(broken ? [broken] : []), ...listed.notes, ...unsteady],
    findings,
    head: repository?.head ?? "none",
    branch: repository?.branch ?? null,
    dirty: await dirty,
    author: { name: listed.settings.name, email: listed.settings.email },
  };
}

/** Throws file_unreadable if the folder cannot be listed or entered. */
function requireAccess(folder: string): void {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
  } catch (cause) {
    throw new CrowdaiError("file_unreadable", `${folder} cannot be read.`, {
      details: { path: folder },
      cause,
    });
  }
}

/** Returns the cache of the last snapshot if its tree is still in the store, else null. */
async function usableCache({ cache, git }: Store): Promise<StatCache | null> {
  const cached = readStatCache(cache);
  if (!cached) return null;
  const type = await git.run(["cat-file", "-t", cached.tree]).catch(() => "");
  return type.toString().trim() === "tree" ? cached : null;
}

function isSame(
  folders: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, string> = new Map(),
): boolean {
  return folders.size === known.size && [...folders].every(([path, value]) => known.get(path) === value);
}
