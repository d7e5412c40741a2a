import { constants, createWriteStream, existsSync } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CrowdaiError } from "@crowdai/shared";
import { makeFolder } from "@crowdai/shared/make-folder";
import { throwIfAborted } from "../async/abort.ts";
import type { FileFacts } from "../client/upload/byte-source.ts";
import { writing } from "../config/file-unwritable.ts";
import { syncToDisk } from "../config/sync-to-disk.ts";
import { fileDigest } from "./file-digest.ts";
import { MANIFEST, type Manifest, SEAL, type SealedFile, sealedFiles } from "./manifest.ts";

type Input =
  | { from: "file"; facts: FileFacts }
  | { from: "json"; text: string }
  | { from: "stdin"; stdin: Readable; isValue?: boolean };

export interface ToSeal {
  /** The spool, which is created if it does not exist. */
  folder: string;
  manifest: Omit<Manifest, "input" | "code" | "models">;
  input: Input | null;
  models: readonly FileFacts[];
  /** Writes the code into a file of the entry. */
  writeCode: ((path: string) => Promise<Omit<NonNullable<Manifest["code"]>, keyof SealedFile>>) | null;
  signal: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/**
 * Seals a submission as an entry of the spool: all of it, or nothing. Returns the name of the entry. Throws
 * file_changed, file_unwritable and file_empty.
 */
export async function sealEntry(work: ToSeal): Promise<{ entry: string; manifest: Manifest }> {
  const { folder, signal } = work;
  const { id } = work.manifest;
  return writing(folder, async () => {
    const existing = nearestFolder(folder);
    makeFolder(folder, 0o700);
    // A project that the spool is in does not include it in its code.
    await writeFile(join(folder, ".gitignore"), "*\n", { flag: "wx" }).catch((error) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    });
    const made = join(folder, `.sealing-${id}`);
    await mkdir(made, { mode: 0o700 });
    try {
      const manifest = await writeFiles(made, work);
      throwIfAborted(signal);
      const entry = `${String(await nextNumber(folder)).padStart(6, "0")}-${id}`;
      await rename(made, join(folder, entry));
      await syncToDisk(folder);
      for (let above = resolve(folder); above !== existing; above = dirname(above))
        await syncToDisk(dirname(above));
      return { entry, manifest };
    } catch (failure) {
      await rm(made, { recursive: true, force: true });
      throwIfAborted(signal);
      throw failure;
    }
  });
}

async function writeFiles(made: string, work: ToSeal): Promise<Manifest> {
  const { signal, onProgress } = work;
  const sealed = async (file: string, expected?: number): Promise<SealedFile> => ({
    file,
    ...(await fileDigest(join(made, file), {
      signal,
      onProgress: (done) => expected !== undefined && onProgress?.(done, expected),
    })),
  });
  const input = work.input && (await sealInput(made, work.input, sealed, signal));
  const models: Manifest["models"] = [];
  for (const [index, facts] of work.models.entries()) {
    const file = `model-${index + 1}`;
    await copySteadily(facts, join(made, file));
    models.push({ name: facts.name, ...(await sealed(file, facts.size)) });
  }
  const facts = work.writeCode && (await work.writeCode(join(made, "code.bundle")));
  const code = facts && { ...(await sealed("code.bundle")), ...facts };
  const manifest: Manifest = { ...work.manifest, input, code, models };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeFile(join(made, MANIFEST), text, { flag: "wx", mode: 0o600 });
  const files = [await sealed(MANIFEST), ...sealedFiles(manifest)];
  await writeFile(join(made, SEAL), files.map(({ sha256, file }) => `${sha256}  ${file}\n`).join(""), {
    flag: "wx",
    mode: 0o600,
  });
  for (const name of [...files.map(({ file }) => file), SEAL]) await syncToDisk(join(made, name));
  await syncToDisk(made);
  return manifest;
}

async function sealInput(
  made: string,
  input: Input,
  sealed: (file: string, expected?: number) => Promise<SealedFile>,
  signal: AbortSignal,
): Promise<NonNullable<Manifest["input"]>> {
  if (input.from === "json") {
    await writeFile(join(made, "value.json"), input.text, { flag: "wx", mode: 0o600 });
    return { from: "json", ...(await sealed("value.json")) };
  }
  const path = join(made, "input");
  if (input.from === "file") {
    await copySteadily(input.facts, path);
    return { from: "file", name: input.facts.name, ...(await sealed("input", input.facts.size)) };
  }
  const file = input.isValue ? "value.json" : "input";
  await pipeline(input.stdin, createWriteStream(join(made, file), { flags: "wx", mode: 0o600 }), { signal });
  const found = await sealed(file);
  if (found.size === 0) throw new CrowdaiError("file_empty", "Standard input is empty.");
  return { from: input.isValue ? "json" : "stdin", ...found };
}

/**
 * Copies a file, sharing its blocks where the file system can. Throws file_changed if it changes in the
 * meantime.
 */
async function copySteadily(facts: FileFacts, to: string): Promise<void> {
  await copyFile(facts.path, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  const [now, copied] = await Promise.all([
    stat(facts.path, { bigint: true }).catch(() => null),
    stat(to, { bigint: true }),
  ]);
  const fields = ["dev", "ino", "size", "mtimeNs"] as const;
  const isSteady = fields.every((field) => now?.[field] === facts.stats[field]);
  if (!isSteady || copied.size !== facts.stats.size)
    throw new CrowdaiError("file_changed", `${facts.path} changed while it was being sealed.`);
}

/**
 * Returns a number above those of all entries, sent ones too. Two may have the same: the time they were
 * sealed decides.
 */
async function nextNumber(folder: string): Promise<number> {
  const sent = await readdir(join(folder, "sent")).catch(() => []);
  const numbers = [...(await readdir(folder)), ...sent].map((name) =>
    Number(/^(\d{6,15})-/.exec(name)?.[1] ?? 0),
  );
  return Math.max(0, ...numbers) + 1;
}

/** Returns the folder itself, or the nearest one above it that exists. */
function nearestFolder(folder: string): string {
  let path = resolve(folder);
  while (!existsSync(path) && path !== dirname(path)) path = dirname(path);
  return path;
}
