import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { createFolderStore, type ObjectStore, type SignedStore } from "@crowdai/shared/objects";
import { type BrokerConfig, objectsFolder } from "../base/config.ts";
import { createPrivateFile } from "../base/private-file.ts";

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

const SECRET_BYTES = 32;

/** Reads the key that signs addresses; made at the first start. Throws config_invalid if the file is not a whole key. */
function readSecret(dataFolder: string): Buffer {
  const file = join(dataFolder, "secret");
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) createPrivateFile(file, randomBytes(SECRET_BYTES));
  const secret = readFileSync(file);
  if (secret.length !== SECRET_BYTES)
    throw new CrowdaiError(
      "config_invalid",
      `${file} has ${secret.length} bytes, and a signing key has ${SECRET_BYTES}.`,
      {
        next: "Restore it from a backup, or delete it: a new key is made, and addresses signed before stop working.",
      },
    );
  return secret;
}
