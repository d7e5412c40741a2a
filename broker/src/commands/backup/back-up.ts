import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { makeFolder } from "@crowdai/shared/make-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { BrokerConfig } from "../../base/config.ts";
import { VERSION } from "../../base/version.ts";
import { backUpObjects } from "./back-up-objects.ts";
import { backUpRecords } from "./back-up-records.ts";
import { digestFile, syncPath, writePrivate } from "./digest-file.ts";
import { MANIFEST, type Manifest } from "./manifest.ts";

export interface BackupOptions {
  config: BrokerConfig;
  openObjects(): Promise<{ objects: ObjectStore }>;
  /** Must not exist, or be empty. */
  folder: string;
  now: Date;
  signal: AbortSignal;
  onProgress(objects: number): void;
}

/**
 * Copies the records, then the objects, then the key that signs addresses, to a folder. Removes what it wrote
 * when it fails. A process that dies leaves a folder without a manifest, which is not restored.
 */
export async function backUp({ config, folder, now, ...options }: BackupOptions): Promise<Manifest> {
  await requireEmpty(folder);
  makeFolder(folder, 0o700);
  try {
    const copied = await backUpRecords(config, folder);
    const { objects: store } = await options.openObjects();
    const objects = await backUpObjects(store, folder, options).finally(() => store.close());
    const secret = await copySecret(config.dataFolder, folder);
    const manifest = {
      schema_version: 1 as const,
      created_at: now.toISOString(),
      version: VERSION,
      ...copied,
      secret,
      objects,
    };
    await writePrivate(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    await syncPath(folder);
    return manifest;
  } catch (error) {
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
    throw error;
  }
}

async function copySecret(dataFolder: string, folder: string): Promise<Manifest["secret"]> {
  const secret = await readFile(join(dataFolder, "secret")).catch((error) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (secret === null) return null;
  await writePrivate(join(folder, "secret"), secret);
  return digestFile(join(folder, "secret"));
}

/** Throws usage unless the folder is empty or missing. */
export async function requireEmpty(folder: string): Promise<void> {
  const names = await readdir(folder).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (names.length > 0)
    throw new CrowdaiError("usage", `${folder} is not empty.`, { next: "Choose a new folder." });
}
