import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "@crowdai/shared/make-folder";
import { type CleanGit, cleanGit } from "../../git/clean-git.ts";
import { projectStore } from "./store-folder.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The store of one project's snapshots: a bare repository, and a cache of the files of the last snapshot. */
export interface Store {
  folder: string;
  repository: string;
  /** Whether no later run will find this store, because the user's own folder is not writable. */
  temporary: boolean;
  git: CleanGit;
  /** Path of the stat cache. */
  cache: string;
  /** A temporary folder of this run, removed by `close`. */
  scratch: string;
  /** Replaces a damaged repository with an empty one. Running operations keep their scratch folders. */
  reset(): Promise<void>;
  close(): void;
}

/** Age after which leftovers of killed runs are removed. */
const STALE_MS = 24 * 3600 * 1000;

/**
 * Opens the store of a project, creating it if needed. Several processes may have it open at once. Throws
 * git_missing.
 */
export async function openStore(codeFolder: string, project: string, env: Env): Promise<Store> {
  const { path: folder, temporary, remove } = projectStore(codeFolder, project);
  const repository = join(folder, "repository.git");
  const git = cleanGit(repository, project, env);
  if (!existsSync(join(repository, "HEAD"))) await makeRepository(folder, repository, project, env);
  const runs = join(folder, "runs");
  removeStale(runs, () => true);
  removeStale(join(repository, "objects/pack"), (name) => name.startsWith("tmp_"));
  removeStale(repository, (name) => name.startsWith("fast_import_crash_"));
  const scratch = join(runs, `${process.pid}-${randomUUID()}`);
  makeFolder(scratch, 0o700);
  const cache = join(folder, "file-stats");
  return {
    folder,
    repository,
    temporary,
    git,
    cache,
    scratch,
    async reset() {
      rmSync(cache, { force: true });
      renameSync(repository, join(scratch, "damaged"));
      await makeRepository(folder, repository, project, env);
    },
    close() {
      rmSync(scratch, { recursive: true, force: true });
      remove();
    },
  };
}

/** Creates the repository atomically, because another process may be creating it too. */
async function makeRepository(folder: string, repository: string, project: string, env: Env): Promise<void> {
  const made = join(folder, `new-${randomUUID()}`);
  mkdirSync(made, { recursive: true, mode: 0o700 });
  const git = cleanGit(made, project, env);
  await git.line(["init", "--quiet", "--bare", "--template=", "--initial-branch=none"]);
  for (const [key, value] of [
    ["gc.auto", "0"],
    ["core.hooksPath", join(repository, "no-hooks")],
    ["core.logAllRefUpdates", "false"],
    ["http.followRedirects", "false"],
    ["credential.helper", ""],
    ["push.recurseSubmodules", "no"],
  ] as const)
    await git.run(["config", key, value]);
  try {
    renameSync(made, repository);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!existsSync(join(repository, "HEAD"))) throw error;
  }
}

function removeStale(folder: string, isOurs: (name: string) => boolean): void {
  let names: string[] = [];
  try {
    names = readdirSync(folder).filter(isOurs);
  } catch {
    return;
  }
  for (const name of names)
    try {
      const path = join(folder, name);
      if (Date.now() - statSync(path).mtimeMs > STALE_MS) rmSync(path, { recursive: true, force: true });
    } catch {
      // Another process removed it first.
    }
}
