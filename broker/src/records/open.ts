import { type BrokerConfig, recordsFile } from "../base/config.ts";
import type { Records } from "./records.ts";

/** Opens the records that the settings name. Loads only the driver that is used. */
export async function openRecords(
  config: Pick<BrokerConfig, "dataFolder" | "databaseUrl">,
): Promise<Records> {
  if (config.databaseUrl) return (await import("./postgres.ts")).openPostgres(config.databaseUrl);
  return (await import("./sqlite.ts")).openSqlite(recordsFile(config.dataFolder));
}
