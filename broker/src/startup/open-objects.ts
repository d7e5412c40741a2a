import { randomBytes } from "node:crypto";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { createFolderStore, type ObjectStore, type SignedStore } from "@crowdai/shared/objects";
import type { Clock } from "../base/clock.ts";
import { type BrokerConfig, objectsFolder } from "../base/config.ts";
import { createPrivateFile, createPrivateFolder } from "../base/private-file.ts";

export interface OpenedObjects {
  objects: ObjectStore;
  /** The same store as `objects`, when this broker serves its signed addresses; otherwise null. */
  signedStore: SignedStore | null;
}

/**
 * Opens the object store that the settings name. `baseUrl` is where clients reach this broker, for the
 * addresses that it serves itself. S3 is loaded only when it is used.
 */
export async function openObjects(
  { s3, dataFolder }: Pick<BrokerConfig, "s3" | "dataFolder">,
  baseUrl: () => string,
  clock: Clock = () => new Date(),
): Promise<OpenedObjects> {
  if (s3) {
    const { createS3Store } = await import("@crowdai/shared/objects/s3");
    return { objects: await createS3Store(s3), signedStore: null };
  }
  const store = await createFolderStore({
    folder: objectsFolder(dataFolder),
    baseUrl,
    secret: readSecret(dataFolder),
    now: () => clock().getTime(),
  });
  return { objects: store, signedStore: store };
}

const SECRET_BYTES = 32;

/**
 * Reads the key that signs addresses; made at the first start. Throws config_invalid if the file is not a
 * whole key.
 */
function readSecret(dataFolder: string): Buffer {
  const file = join(dataFolder, "secret");
  createPrivateFolder(dataFolder);
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) createPrivateFile(file, randomBytes(SECRET_BYTES));
  // Reading a pipe would block.
  else if (!found.isFile()) throw noSecret(file, "is not a regular file");
  else if (found.mode & 0o077) makePrivate(file);
  let secret: Buffer;
  try {
    secret = readFileSync(file);
  } catch (cause) {
    throw noSecret(file, `cannot be read (${(cause as NodeJS.ErrnoException).code})`);
  }
  if (secret.length !== SECRET_BYTES)
    throw noSecret(file, `has ${secret.length} bytes, and a signing key has ${SECRET_BYTES}`);
  // A power failure can leave a file with its full length and no contents.
  if (secret.every((byte) => byte === secret[0]))
    throw noSecret(file, "has no key: all of its bytes are equal");
  return secret;
}

function makePrivate(file: string): void {
  try {
    chmodSync(file, 0o600);
  } catch {
    // It is another user's, or mounted read-only: its owner decides.
  }
}

const noSecret = (file: string, reason: string) =>
  new CrowdaiError("config_invalid", `${file} ${reason}.`, {
    next: "Restore it from a backup, or delete it: a new key is made, and addresses signed before stop working.",
  });
