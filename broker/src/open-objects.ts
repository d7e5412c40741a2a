import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFolderStore, type FolderStore } from "@crowdai/shared/objects";
import { type BrokerConfig, objectsFolder } from "./config.ts";

/** The object store the settings name. `baseUrl` is where clients reach this broker, for addresses that it serves itself. */
export function openObjects(
  config: Pick<BrokerConfig, "dataFolder">,
  baseUrl: () => string,
): Promise<FolderStore> {
  return createFolderStore({
    folder: objectsFolder(config.dataFolder),
    baseUrl,
    secret: readSecret(config.dataFolder),
  });
}

/** The key behind signed addresses; made at the first start, readable by the owner only. */
function readSecret(dataFolder: string): Buffer {
  const file = join(dataFolder, "secret");
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, randomBytes(32), { mode: 0o600, flag: "wx" });
  return readFileSync(file);
}
