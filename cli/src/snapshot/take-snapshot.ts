import { accessSync, constants, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { setImmediate } from "node:timers/promises";
import { CrowdaiError } from "@crowdai/shared";
import { type Caps, checkCaps } from "./caps.ts";
import { GitFailure, isInside } from "./clean-git.ts";
import { type Dirty, isDirty } from "./dirty.ts";
import { foldedName, refusedByGit, unfitName } from "./git-names.ts";
import { type BytePath, type LeftOut, type Listed, listFiles } from "./list-files.ts";
import { look, onDisk, type Read, readEntry } from "./read-file.ts";
import { secretByName, secretSettings } from "./secret-names.ts";
import { shownPath } from "./shown-path.ts";
import { findSpecial } from "./special-files.ts";
import { isRacy, lookOf, readStatCache, type StatCache, writeStatCache } from "./stat-cache.ts";
import type { Store } from "./store.ts";
import { type Mode, openTreeWriter } from "./tree-writer.ts";
import { repositoryAround } from "./user-repository.ts";

type Env = Readonly<Record<string, string | undefined>>;
type Finding = import("./secret-contents.ts").Finding;

export interface TakeOptions {
  store: Store;
  /** The project's folder, without links in its path. */
  folder: string;
  env: Env;
  exclude?: readonly string[];
  include?: readonly string[];
  caps: Caps;
  /** Takes files although secrets were found in them. */
  allowSecrets?: boolean;
  /** Folders of our own, which are no part of any project. */
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
  /** Secrets that were taken because it was allowed. */
  findings: Finding[];
  head: string;
  branch: string | null;
  dirty: Dirty;
  author: { name: string | null; email: string | null };
}

/**
 * The project as it lies there, as a tree in our own store. Reads the user's files and a copy of the index, and writes nothing outside
 * the store. Throws code_secrets, code_too_large, file_unreadable, git_missing, interrupted.
 */
export async function takeSnapshot(options: TakeOptions): Promise<Snapshot> {
  try {
    return await takeOnce(options);
  } catch (failure) {
    // What was kept may be damaged, as by a full disk; from scratch it works, or says why not.
    if (options.signal?.aborted) throw new CrowdaiError("interrupted");
    if (!(failure instanceof GitFailure)) throw failure;
    await options.store.reset();
    return await takeOnce(options);
  }
}

async function takeOnce(options: TakeOptions): Promise<Snapshot> {
  const { store, folder, caps, signal } = options;
  requireOpen(folder);
  const repository = repositoryAround(folder);
  const listed = await listFiles({
    git: store.git,
    env: options.env,
    top: repository?.top ?? folder,
    within: relative(repository?.top ?? folder, folder)
      .split(sep)
      .join("/"),
    repository,
    exclude: options.exclude ?? [],
    include: options.include ?? [],
    scratch: join(store.scratch, `look-${performance.now()}`),
  });
  const leftOut = [...listed.leftOut];
  const wanted = byName(options, listed, leftOut);
  signal?.throwIfAborted();

  const dirty = isDirty(store.git, repository, listed);
  const found = await lookAt(folder, wanted, leftOut);
  checkCaps(found, caps);
  const cached = await usableCache(store);
  const written = await writeTree(options, found, cached, leftOut);
  const { tree, findings, unsteady } = written;
  writeStatCache(store.cache, { tree, files: written.files });
  const told = new Set(leftOut.map(({ path }) => path));
  leftOut.push(...findSpecial(folder, wanted).filter(({ path }) => !told.has(path)));

  const files = [...written.files].map(([path, { size }]) => ({ path, size }));
  return {
    folder,
    tree,
    files,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    leftOut: leftOut.sort((a, b) => (a.path < b.path ? -1 : 1)),
    notes: [...listed.notes, ...unsteady],
    findings,
    head: repository?.head ?? "none",
    branch: repository?.branch ?? null,
    dirty: await dirty,
    author: { name: listed.settings.name, email: listed.settings.email },
  };
}

/** Throws file_unreadable for a folder that cannot be listed or entered. */
function requireOpen(folder: string): void {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
  } catch (cause) {
    throw new CrowdaiError("file_unreadable", `${folder} cannot be read.`, {
      details: { path: folder },
      cause,
    });
  }
}

/** What stays of the list once names are looked at. */
function byName({ folder, ours = [] }: TakeOptions, { paths }: Listed, leftOut: LeftOut[]): BytePath[] {
  const own = ours.filter((path) => isInside(path, folder) && path !== folder);
  const ownPrefixes = own.map((path) => `${Buffer.from(relative(folder, path)).toString("latin1")}/`);
  const bare = bareRepositories(folder, paths);
  const twice = sameElsewhere();
  return [...paths].sort().filter((path) => {
    if (ownPrefixes.some((prefix) => path.startsWith(prefix))) return false;
    const reason = nameReason(path, bare) ?? twice(path);
    if (reason) leftOut.push({ path, reason });
    return reason === null;
  });
}

/** Tells of names, folders' too, that differ from an earlier one in nothing but case. */
function sameElsewhere(): (path: BytePath) => string | null {
  const seen = new Map<string, BytePath>();
  const twice = (path: BytePath): BytePath | null => {
    const end = path.lastIndexOf("/");
    const above = end < 0 ? null : twice(path.slice(0, end));
    if (above !== null) return above;
    const known = seen.get(foldedName(path)) ?? path;
    seen.set(foldedName(path), known);
    return known === path ? null : known;
  };
  return (path) => {
    const other = twice(path);
    return other === null ? null : `it is the same as ${shownPath(other)} where names ignore case`;
  };
}

function nameReason(path: BytePath, bare: readonly string[]): string | null {
  const secret = secretByName(path);
  if (secret) return `its name says that it holds ${secret}`;
  if (/(^|\/)\.gitmodules$/i.test(path)) return "the files of submodules are taken themselves";
  if (bare.some((prefix) => path.startsWith(prefix)))
    return "part of a git repository without a working tree";
  return unfitName(path);
}

/** Folders that git would take for a repository, and obey the settings of, when somebody who has the snapshot goes there. */
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

interface Found {
  path: BytePath;
  mode: Mode;
  size: number;
  look: string;
}

const AT_ONCE = 500;

async function lookAt(root: string, paths: readonly BytePath[], leftOut: LeftOut[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const [i, path] of paths.entries()) {
    if (i % AT_ONCE === 0) await setImmediate();
    const stats = look(onDisk(root, path));
    if (stats === "missing") continue;
    if (stats === "unreadable") leftOut.push({ path, reason: "it cannot be read" });
    else if (stats.isSymbolicLink() || stats.isFile())
      found.push({ path, mode: modeOf(stats), size: Number(stats.size), look: lookOf(stats) });
    else if (!stats.isDirectory()) leftOut.push({ path, reason: "a pipe, socket or device" });
  }
  return found;
}

function modeOf(stats: { mode: bigint; isSymbolicLink(): boolean }): Mode {
  if (stats.isSymbolicLink()) return "120000";
  return process.platform !== "win32" && stats.mode & 0o100n ? "100755" : "100644";
}

/** The last snapshot's files, when its tree is still there to build upon. */
async function usableCache({ cache, git }: Store): Promise<StatCache | null> {
  const cached = readStatCache(cache);
  if (!cached) return null;
  const isThere = await git.line(["cat-file", "-t", cached.tree]).catch(() => "");
  return isThere === "tree" ? cached : null;
}

interface Written {
  tree: string;
  files: StatCache["files"];
  findings: Finding[];
  unsteady: string[];
}

/** Puts what has changed since the last time on top of that tree. */
async function writeTree(
  { store, folder, caps, allowSecrets, signal }: TakeOptions,
  found: readonly Found[],
  cached: StatCache | null,
  leftOut: LeftOut[],
): Promise<Written> {
  const before = cached?.files ?? new Map();
  const changed = found.filter(({ path, look: now }) => before.get(path)?.look !== now);
  const present = new Set(found.map(({ path }) => path));
  const gone = [...before.keys()].filter((path) => !present.has(path));
  const files: StatCache["files"] = new Map(
    found.map(({ path, look: now, size }) => [path, { look: now, size }]),
  );
  if (cached && changed.length === 0 && gone.length === 0)
    return { tree: cached.tree, files, findings: [], unsteady: [] };

  const writer = openTreeWriter(store.git, cached?.tree ?? null);
  const findings: Finding[] = [];
  const unsteady: string[] = [];
  try {
    for (const path of gone) writer.remove(path);
    const drop = (path: BytePath, reason: string) => {
      leftOut.push({ path, reason });
      if (before.has(path)) writer.remove(path);
      files.delete(path);
    };
    let sinceRest = 0;
    for (const file of changed) {
      const { path, mode } = file;
      const readAt = BigInt(Date.now()) * 1_000_000n;
      const read = readEntry(onDisk(folder, path), mode === "120000", caps.maxBytes);
      if (read === "missing" || read === "unreadable") {
        drop(path, read === "missing" ? "it was removed before it was read" : "it cannot be read");
        continue;
      }
      const checked = await checkContent(path, mode, read);
      if (checked.refused) {
        drop(path, checked.refused);
        continue;
      }
      findings.push(...checked.findings);
      if (read.unsteady) unsteady.push(`${shownPath(path)} changed each time it was read.`);
      const size = read.bytes.length;
      // What is to be read again next time has no look.
      const isSure = !read.unsteady && checked.findings.length === 0 && !isRacy(read.stats, readAt);
      files.set(path, { look: isSure ? lookOf(read.stats) : "", size });
      writer.put(path, mode, read.bytes);
      await writer.drained();
      sinceRest += size + 4096;
      if (sinceRest > REST_BYTES) {
        await setImmediate();
        signal?.throwIfAborted();
        sinceRest = 0;
      }
    }
    if (findings.length > 0 && !allowSecrets) throw secretsFound(findings);
    // Some may have grown since they were looked at.
    checkCaps(
      [...files].map(([path, { size }]) => ({ path, size })),
      caps,
    );
    return { tree: await writer.finish(), files, findings, unsteady };
  } catch (failure) {
    writer.abort();
    throw failure;
  }
}

/** So much is read before the rest of the program gets its turn. */
const REST_BYTES = 2 * 1024 * 1024;

interface Checked {
  refused: string | null;
  findings: Finding[];
}

/** Text is searched for secrets; what has a zero byte near its beginning is none. */
async function checkContent(path: BytePath, mode: Mode, { bytes }: Read): Promise<Checked> {
  const isText = mode !== "120000" && !bytes.subarray(0, 8192).includes(0);
  if (!isText) return { refused: null, findings: [] };
  const { findSecrets, looksSecret } = await scanner();
  const text = bytes.toString("latin1");
  const refused = secretSettings(path, text);
  if (refused) return { refused: `it holds ${refused}`, findings: [] };
  const byGit = refusedByGit(path, text);
  if (byGit) return { refused: byGit, findings: [] };
  if (!looksSecret(text)) return { refused: null, findings: [] };
  return { refused: null, findings: await findSecrets(shownPath(path), bytes.toString("utf8")) };
}

let loaded: Promise<typeof import("./secret-contents.ts")> | undefined;
function scanner(): Promise<typeof import("./secret-contents.ts")> {
  loaded ??= import("./secret-contents.ts");
  return loaded;
}

const MOST_NAMED = 20;

function secretsFound(findings: readonly Finding[]): CrowdaiError {
  const lines = findings.slice(0, MOST_NAMED).map(({ path, line, what }) => `  ${path}:${line}: ${what}`);
  if (findings.length > MOST_NAMED) lines.push(`  and ${findings.length - MOST_NAMED} more`);
  return new CrowdaiError("code_secrets", `The code seems to hold secrets:\n${lines.join("\n")}`, {
    details: { findings },
  });
}
