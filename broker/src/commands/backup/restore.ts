import { createReadStream } from "node:fs";
import { chmod, copyFile, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { makeFolder } from "@crowdai/shared/make-folder";
import { markedStep } from "@crowdai/shared/marked-steps";
import { mediaTypeOf } from "@crowdai/shared/media-types";
import type { ObjectStore } from "@crowdai/shared/objects";
import { type BrokerConfig, recordsFile } from "../../base/config.ts";
import { lockDataFolder } from "../../records/data-lock.ts";
import { requireEmpty } from "./back-up.ts";
import { syncPath } from "./digest-file.ts";
import { type Manifest, objectFile } from "./manifest.ts";
import { restorePostgres } from "./postgres-programs.ts";
import { objectsOf, verifyBackup } from "./verify-backup.ts";

export interface RestoreOptions {
  config: BrokerConfig;
  /** Opens the objects of a broker with this data folder. */
  openObjects(dataFolder: string): Promise<{ objects: ObjectStore }>;
  folder: string;
  signal: AbortSignal;
}

/**
 * Verifies a backup, and restores it to a data folder, database and bucket that are empty. The data folder
 * appears when it is complete. After an error, what was restored is removed.
 */
export async function restore({ config, openObjects, folder, signal }: RestoreOptions): Promise<Manifest> {
  const { dataFolder, databaseUrl, programPath } = config;
  await requireUnused(dataFolder);
  const manifest = await verifyBackup(folder, signal);
  requireDialect(manifest, databaseUrl);
  if (databaseUrl) await requireEmptyDatabase(databaseUrl);
  makeFolder(dirname(dataFolder));
  const records = join(folder, manifest.records.file);
  await allOrNothing(async (undo) => {
    const partial = await mkdtemp(join(dirname(dataFolder), `.${basename(dataFolder)}-`));
    undo.push(() => rm(partial, { recursive: true, force: true }));
    if (manifest.secret) await copyDurably(join(folder, "secret"), join(partial, "secret"));
    const { objects } = await openObjects(partial);
    undo.push(() => objects.close());
    await restoreObjects({ objects, isShared: config.s3 !== null, folder, signal, undo });
    if (!databaseUrl) await copyDurably(records, recordsFile(partial));
    // It replaces an empty folder only: a broker may have started there.
    await rename(partial, dataFolder).catch((error) => {
      throw error.code === "ENOTEMPTY" ? inUse(dataFolder) : error;
    });
    undo.push(() => rm(dataFolder, { recursive: true, force: true }));
    if (databaseUrl) await restorePostgres(databaseUrl, records, programPath);
    await objects.close();
  });
  return manifest;
}

type Undo = (() => Promise<void>)[];

/** Runs the steps that undo a work, the latest first, when it fails. */
async function allOrNothing(work: (undo: Undo) => Promise<void>): Promise<void> {
  const undo: Undo = [];
  try {
    await work(undo);
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  await chmod(to, 0o600);
  await syncPath(to);
}

async function restoreObjects({
  objects,
  isShared,
  folder,
  signal,
  undo,
}: {
  objects: ObjectStore;
  isShared: boolean;
  folder: string;
  signal: AbortSignal;
  undo: Undo;
}): Promise<void> {
  for await (const { key } of objectsOf(folder))
    if (isShared && (await objects.stat(key)))
      throw new CrowdaiError("usage", `The object store (${objects.name}) already has ${key}.`, {
        next: "Set S3_BUCKET to a bucket without data of a broker.",
      });
  if (isShared)
    undo.push(async () => {
      for await (const { key } of objectsOf(folder)) await objects.remove(key);
    });
  for await (const { key, size, sha256 } of objectsOf(folder)) {
    if (signal.aborted)
      throw new CrowdaiError("interrupted", "The restore was interrupted. Nothing was restored.");
    // As when it was first stored: an object that has a type has its extension in its key.
    const type = mediaTypeOf(extname(key).slice(1));
    await markedStep("upload.restored", () =>
      objects.put(key, createReadStream(objectFile(folder, sha256)), {
        expected: { size, sha256 },
        ...(type ? { type } : {}),
      }),
    );
  }
}

async function requireUnused(dataFolder: string): Promise<void> {
  const names = await readdir(dataFolder).catch((error): string[] => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  // Throws data_in_use, which is a better reason than that the folder is not empty.
  if (names.includes("broker.lock")) lockDataFolder(dataFolder).release();
  await requireEmpty(dataFolder);
}

function requireDialect({ records }: Manifest, databaseUrl: string | undefined): void {
  if (records.dialect === "postgres" && !databaseUrl)
    throw new CrowdaiError("usage", "The backup has the records of a PostgreSQL database.", {
      next: "Set DATABASE_URL to an empty database.",
    });
  if (records.dialect === "sqlite" && databaseUrl)
    throw new CrowdaiError("usage", "The backup has the records of SQLite, and DATABASE_URL is set.", {
      next: "Restore it without DATABASE_URL.",
    });
}

async function requireEmptyDatabase(url: string): Promise<void> {
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(
      "select 1 from pg_tables where schemaname = current_schema() limit 1",
    );
    if (rows.length > 0)
      throw new CrowdaiError("usage", "The database of DATABASE_URL is not empty.", {
        next: "Create an empty database, and set DATABASE_URL to it.",
      });
  } finally {
    await client.end();
  }
}

const inUse = (folder: string) => new CrowdaiError("data_in_use", `A broker has started in ${folder}.`);
