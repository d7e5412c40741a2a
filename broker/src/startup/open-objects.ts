import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFolderStore, type ObjectStore, type SignedStore } from "@crowdai/shared/objects";
import { type BrokerConfig, objectsFolder } from "../base/config.ts";

export interface OpenedObjects {
  objects: ObjectStore;
  /** The same store, when this broker serves its signed addresses. */
  signedStore: SignedStore | null;
}

/**
 * Opens the object store that the settings name. `baseUrl` is where clients reach this broker, for the
 * addresses that it serves itself. S3 is loaded only when it is used.
 */
export async function openObjects(
  { s3, dataFolder }: Pick<BrokerConfig, "s3" | "dataFolder">,
  baseUrl: () => string,
): Promise<OpenedObjects> {
  if (s3) {
    const { createS3Store } = await import("@crowdai/shared/objects/s3");
    return { objects: await createS3Store(s3), signedStore: null };
  }
  const store = await createFolderStore({
    folder: objectsFolder(dataFolder),
    baseUrl,
    secret: readSecret(dataFolder),
  });
  return { objects: store, signedStore: store };
}

/** Reads the key behind signed addresses; made at the first start, readable by the owner only. */
function readSecret(dataFolder: string): Buffer {
  const file = join(dataFolder, "secret");
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, randomBytes(32), { mode: 0o600, flag: "wx" });
  return readFileSync(file);
}
