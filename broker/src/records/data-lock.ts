import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { lockFile } from "@crowdai/shared/file-lock";

/**
 * Keeps a second broker from using the same data folder: with the embedded queue, both would grade every
 * submission.
 */
export function lockDataFolder(folder: string): { release(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = lockFile(join(folder, "broker.lock"));
  if (!lock) throw new CrowdaiError("data_in_use", `Another broker is using the data folder ${folder}.`);
  return lock;
}
