import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { lockFile } from "@crowdai/shared/file-lock";
import { createPrivateFolder } from "../base/private-file.ts";
import { databaseError } from "./unusable-database.ts";

/**
 * Keeps a second broker from using the same data folder: with the embedded queue, both would grade every
 * submission.
 */
export function lockDataFolder(folder: string): { release(): void } {
  createPrivateFolder(folder);
  // Names the reason, which SQLite does not.
  accessSync(folder, constants.W_OK);
  const path = join(folder, "broker.lock");
  let lock: ReturnType<typeof lockFile>;
  try {
    lock = lockFile(path);
  } catch (error) {
    throw databaseError(error, path);
  }
  if (!lock) throw new CrowdaiError("data_in_use", `Another broker is using the data folder ${folder}.`);
  return lock;
}
