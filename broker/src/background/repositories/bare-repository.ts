import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** How much of the records a repository holds: numbers of the last pack and the last commit that were brought in. */
export interface Applied {
  stored: number;
  final: number;
}

const APPLIED = "crowdai.json";
const CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
// Attributes of a tree would change what is read of it: these here come before them.
const ATTRIBUTES = "* -export-ignore -export-subst -text -ident !eol !filter !working-tree-encoding !diff\n";

/**
 * Makes the bare repository, whole or not at all: no hooks, no configuration but what it takes to be one. A folder that is none, such as
 * git leaves when its repository is removed while it writes, makes way: all that is worth keeping is in records and objects.
 */
export async function makeBareRepository(dir: string): Promise<void> {
  if (existsSync(join(dir, "HEAD"))) return;
  await rm(dir, { recursive: true, force: true });
  const made = `${dir}.${randomUUID()}`;
  for (const folder of ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"])
    await mkdir(join(made, folder), { recursive: true, mode: 0o700 });
  await writeFile(join(made, "HEAD"), "ref: refs/heads/main\n");
  await writeFile(join(made, "config"), CONFIG);
  await writeFile(join(made, "info/attributes"), ATTRIBUTES);
  try {
    await rename(made, dir);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    if (!existsSync(join(dir, "HEAD"))) throw error;
  }
}

/**
 * Removes the locks and half-written packs of git processes that were killed. Nobody else writes into the repository: the data folder
 * has one broker, and it does one thing after the other.
 */
export async function clearLeftovers(dir: string): Promise<void> {
  const refs = await readdir(join(dir, "refs"), { recursive: true });
  const packs = await readdir(join(dir, "objects/pack"));
  const left = [
    ...refs.filter((name) => name.endsWith(".lock")).map((name) => join("refs", name)),
    ...packs.filter((name) => name.startsWith("tmp_")).map((name) => join("objects/pack", name)),
    "HEAD.lock",
    "packed-refs.lock",
    "packed-refs.new",
  ];
  await Promise.all(left.map((name) => rm(join(dir, name), { force: true })));
}

/** What is no repository, whatever lies there, holds nothing. */
export async function readApplied(dir: string): Promise<Applied> {
  if (!existsSync(join(dir, "HEAD"))) return { stored: 0, final: 0 };
  try {
    const { stored, final } = JSON.parse(await readFile(join(dir, APPLIED), "utf8"));
    if (Number.isInteger(stored) && Number.isInteger(final)) return { stored, final };
  } catch {
    // Nothing was brought in yet, or nobody knows what: bringing it in again is harmless.
  }
  return { stored: 0, final: 0 };
}

export async function writeApplied(dir: string, applied: Applied): Promise<void> {
  const written = join(dir, `${APPLIED}.${randomUUID()}`);
  await writeFile(written, JSON.stringify(applied), { flush: true });
  await rename(written, join(dir, APPLIED));
}
