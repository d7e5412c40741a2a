import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileError } from "../client/upload/file-error.ts";
import { fileDigest } from "./file-digest.ts";
import { damaged, MANIFEST, type Manifest, parseManifest, SEAL, sealedFiles } from "./manifest.ts";

const MAX_TEXT_BYTES = 1024 * 1024;

/** An entry whose files are those that were sealed. */
export interface VerifiedEntry {
  name: string;
  path: string;
  manifest: Manifest;
}

/**
 * Reads the manifest of an entry, without checking its other files. Throws spool_damaged and spool_version.
 */
export async function readManifest(folder: string, name: string): Promise<Manifest> {
  const path = join(folder, name);
  const state = await lstat(path);
  if (!state.isDirectory()) throw damaged(name, "it is not a folder");
  const manifest = parseManifest(name, await readText(path, name, MANIFEST));
  if (!name.endsWith(`-${manifest.id}`)) throw damaged(name, `its manifest is of submission ${manifest.id}`);
  return manifest;
}

/**
 * Checks that an entry has exactly the files that were sealed, with their bytes. Throws spool_damaged, which
 * names the file, and spool_version.
 */
export async function verifyEntry(
  folder: string,
  name: string,
  options: { signal?: AbortSignal } = {},
): Promise<VerifiedEntry> {
  try {
    const path = join(folder, name);
    const manifest = await readManifest(folder, name);
    const sealed = sealedFiles(manifest);
    const expected = new Map(parseSeal(name, await readText(path, name, SEAL)));
    const names = [MANIFEST, ...sealed.map(({ file }) => file)];
    if (new Set(names).size !== names.length || expected.size !== names.length)
      throw damaged(name, `${SEAL} and ${MANIFEST} name different files`);
    const added = (await readdir(path)).find((file) => file !== SEAL && !names.includes(file));
    if (added !== undefined) throw damaged(name, `${JSON.stringify(added)} was added`, { file: added });
    for (const file of names) {
      const state = await requireFile(path, name, file);
      const size = sealed.find((one) => one.file === file)?.size ?? state.size;
      if (state.size !== size)
        throw damaged(name, `${file} has ${state.size} bytes instead of ${size}`, { file });
    }
    for (const file of names) {
      const { sha256 } = await fileDigest(join(path, file), options);
      const noted = sealed.find((one) => one.file === file)?.sha256 ?? sha256;
      if (sha256 !== expected.get(file) || sha256 !== noted)
        throw damaged(name, `the content of ${file} was changed`, { file });
    }
    return { name, path, manifest };
  } catch (failure) {
    options.signal?.throwIfAborted();
    throw fileError(join(folder, name), failure);
  }
}

async function requireFile(path: string, name: string, file: string): Promise<{ size: number }> {
  const state = await lstat(join(path, file)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") throw damaged(name, `${file} is missing`, { file });
    throw error;
  });
  if (state.isSymbolicLink()) throw damaged(name, `${file} is a symbolic link`, { file });
  if (!state.isFile()) throw damaged(name, `${file} is not a file`, { file });
  return state;
}

async function readText(path: string, name: string, file: string): Promise<string> {
  const { size } = await requireFile(path, name, file);
  if (size > MAX_TEXT_BYTES) throw damaged(name, `${file} has ${size} bytes`, { file });
  return readFile(join(path, file), "utf8");
}

function parseSeal(name: string, text: string): [file: string, sha256: string][] {
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [, sha256, file] = /^([0-9a-f]{64}) [ *]([\w.-]+)\r?$/.exec(line) ?? [];
      if (!sha256 || !file) throw damaged(name, `${SEAL} has a line that is not a digest`, { file: SEAL });
      return [file, sha256];
    });
}
