import { randomBytes } from "node:crypto";
import { chmod, copyFile, lstat, mkdir, open, readdir, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { type ChallengeFolder, CONFIG_FILE, loadChallengeFolder } from "@crowdai/shared/challenge-folder";
import { makeFolder } from "@crowdai/shared/make-folder";
import type { Draft } from "./draft.ts";
import { isArchive } from "./find-in-bundle.ts";
import { bundleInvalid, isClutter, onlyFolder, unpack } from "./open-bundle.ts";

/**
 * Writes a challenge folder, checks it, and moves it to `target` only then. With `dryRun` it is removed
 * again. `adapt` may change the configuration once the files are there.
 */
export async function writeDraft(
  draft: Draft,
  target: string,
  { dryRun, adapt }: { dryRun: boolean; adapt: (folder: string) => Promise<void> },
): Promise<ChallengeFolder> {
  if (await exists(target))
    throw new CrowdaiError("usage", `${target} exists already.`, {
      next: "Name another id with --id, or another folder with --into.",
    });
  const parent = dirname(target);
  const made = makeFolder(parent);
  // Beside the target, so that it can be moved; brokers skip hidden folders.
  const temporary = join(parent, `.import-${randomBytes(6).toString("hex")}`);
  try {
    await mkdir(temporary);
    for (const { from, to, asIs } of draft.files)
      await (asIs ? copyTo(from, join(temporary, to)) : take(from, join(temporary, to)));
    await adapt(temporary);
    await writeFile(join(temporary, CONFIG_FILE), `${JSON.stringify(draft.config, null, 2)}\n`);
    const loaded = await loadChallengeFolder(temporary).catch((error) => {
      if (!(error instanceof CrowdaiError) || error.code !== "config_invalid") throw error;
      throw bundleInvalid(
        error.message
          .split("\n")
          .slice(1)
          .map((line) => line.trim()),
      );
    });
    if (!dryRun) await rename(temporary, target);
    return { ...loaded, dir: target };
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
    // A folder that was made for it, and is empty now.
    if (made !== undefined) await rmdir(parent).catch(() => {});
  }
}

const exists = (path: string) =>
  lstat(path).then(
    () => true,
    () => false,
  );

async function copyTo(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copy(from, to);
}

/** Copies a file or folder. An archive is unpacked, without the folder that holds all of it. */
async function take(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if (!isArchive({ path: from, isFolder: (await lstat(from)).isDirectory() })) return copy(from, to);
  const unpacked = `${to}.unpacked`;
  await unpack(from, unpacked).catch((error) => {
    if (!(error instanceof CrowdaiError) || error.code !== "bundle_invalid") throw error;
    throw bundleInvalid([`${basename(from)}: ${problemsOf(error).join("; ")}`]);
  });
  await copy((await onlyFolder(unpacked)) ?? unpacked, to);
  await rm(unpacked, { recursive: true, force: true });
}

const problemsOf = ({ details }: CrowdaiError) => (details as { problems: string[] }).problems;

async function copy(from: string, to: string): Promise<void> {
  const found = await lstat(from);
  if (found.isSymbolicLink()) throw bundleInvalid([`${basename(from)} is a link`]);
  if (found.isDirectory()) {
    await mkdir(to, { recursive: true });
    for (const name of await readdir(from))
      if (!isClutter(name)) await copy(join(from, name), join(to, name));
    return;
  }
  if (!found.isFile()) throw bundleInvalid([`${basename(from)} is not a file`]);
  await copyFile(from, to);
  // Archives that were made on Windows do not say which files are programs.
  await chmod(to, (found.mode & 0o111) !== 0 || (await isScript(to)) ? 0o755 : 0o644);
}

async function isScript(path: string): Promise<boolean> {
  if (![".sh", ".py", ".pl", ".rb", ""].includes(extname(path))) return false;
  await using file = await open(path, "r");
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return bytesRead === 2 && buffer.toString("latin1") === "#!";
}
