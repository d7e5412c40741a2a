import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * How much of the records a repository contains: the numbers of the last pack and the last commit applied.
 */
export interface Applied {
  stored: number;
  final: number;
}

const APPLIED = "crowdai.json";
const CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n";
// These attributes take precedence over those in a tree, which would change the content that is read.
const ATTRIBUTES = "* -export-ignore -export-subst -text -ident !eol !filter !working-tree-encoding !diff\n";

/**
 * Creates the bare repository where there is none, and removes what a killed git process has left in it.
 * Nothing else may write into it at that moment.
 */
export async function openBareRepository(dir: string): Promise<void> {
  await makeBareRepository(dir);
  await clearLeftovers(dir);
}

/**
 * Creates the bare repository, completely or not at all, without hooks and with only the required
 * configuration. A folder that is not a repository, such as git leaves when its repository is removed while
 * it writes, is replaced: everything worth keeping is in the records and objects.
 */
async function makeBareRepository(dir: string): Promise<void> {
  if (existsSync(join(dir, "HEAD"))) return;
  await rm(dir, { recursive: true, force: true });
  const made = `${dir}.${randomUUID()}`;
  try {
    for (const folder of ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"])
      await mkdir(join(made, folder), { recursive: true, mode: 0o700 });
    await writeFile(join(made, "HEAD"), "ref: refs/heads/main\n");
    await writeFile(join(made, "config"), CONFIG);
    await writeFile(join(made, "info/attributes"), ATTRIBUTES);
    await rename(made, dir);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    if (!existsSync(join(dir, "HEAD"))) throw error;
  }
}

/**
 * Removes the locks and half-written packs of killed git processes. Nothing else writes into the repository:
 * one broker owns the data folder, and it runs one update of a repository at a time.
 */
async function clearLeftovers(dir: string): Promise<void> {
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

/** Returns what has been applied to the repository. A path that is not a repository counts as empty. */
export async function readApplied(dir: string): Promise<Applied> {
  if (!existsSync(join(dir, "HEAD"))) return { stored: 0, final: 0 };
  try {
    const { stored, final } = JSON.parse(await readFile(join(dir, APPLIED), "utf8"));
    if (Number.isInteger(stored) && Number.isInteger(final)) return { stored, final };
  } catch {
    // Nothing has been applied yet, or it is unknown: applying it again is harmless.
  }
  return { stored: 0, final: 0 };
}

export async function writeApplied(dir: string, applied: Applied): Promise<void> {
  const written = join(dir, `${APPLIED}.${randomUUID()}`);
  await writeFile(written, JSON.stringify(applied), { flush: true });
  await rename(written, join(dir, APPLIED));
}
