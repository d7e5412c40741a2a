import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { migrationNames } from "../../records/records.ts";
import { digestFile, linesOf } from "./digest-file.ts";
import {
  type FileDigest,
  invalid,
  type ListedObject,
  listedObjectSchema,
  type Manifest,
  OBJECT_LIST,
  objectFile,
  readManifest,
} from "./manifest.ts";

/**
 * Reads all of a backup. Throws backup_invalid unless it is complete, unchanged, and of a version that this
 * program reads.
 */
export async function verifyBackup(folder: string, signal: AbortSignal): Promise<Manifest> {
  const manifest = await readManifest(folder);
  const { records, secret, objects } = manifest;
  const known = new Set(migrationNames());
  if (records.migrations.some((name) => !known.has(name)))
    throw invalid(
      `The backup was made by a newer version of the broker (${manifest.version}).`,
      "Install that version.",
    );
  await requireFile(folder, records.file, records);
  if (secret) await requireFile(folder, "secret", secret);
  await requireFile(folder, OBJECT_LIST, objects);
  for await (const { sha256, size } of objectsOf(folder)) {
    if (signal.aborted) throw new CrowdaiError("interrupted", "Interrupted. Nothing was restored.");
    await requireFile(folder, objectFile("", sha256), { size, sha256 });
  }
  return manifest;
}

/** Yields the objects in a backup. */
export async function* objectsOf(folder: string): AsyncGenerator<ListedObject> {
  for await (const line of linesOf(join(folder, OBJECT_LIST)))
    yield listedObjectSchema.parse(JSON.parse(line));
}

async function requireFile(folder: string, name: string, wanted: FileDigest): Promise<void> {
  const found = await digestFile(join(folder, name)).catch((error) => {
    if (error.code === "ENOENT") throw invalid(`The backup is incomplete: ${name} is missing.`);
    throw error;
  });
  if (found.size !== wanted.size || found.sha256 !== wanted.sha256)
    throw invalid(
      `The backup has changed since it was made: ${name} has ${found.size} bytes with another digest.`,
    );
}
