import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CrowdaiError } from "@crowdai/shared";

/**
 * Keeps a second broker off the same data folder: with the embedded queue both would grade everything. The lock is an open
 * SQLite transaction, which the operating system ends with the process, however that dies.
 */
export function lockDataFolder(folder: string): { release(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(folder, "broker.lock"));
  try {
    database.exec("pragma locking_mode = exclusive; begin exclusive;");
  } catch (cause) {
    database.close();
    throw new CrowdaiError("data_in_use", `Another broker uses the data folder ${folder}.`, { cause });
  }
  return { release: () => database.close() };
}
