import { type BrokerConfig, recordsFile } from "../base/config.ts";
import type { Records } from "./records.ts";

/** The records the settings name. Only what is used is loaded. */
export async function openRecords(
  config: Pick<BrokerConfig, "dataFolder" | "databaseUrl">,
): Promise<Records> {
  if (config.databaseUrl) return (await import("./postgres.ts")).openPostgres(config.databaseUrl);
  return (await import("./sqlite.ts")).openSqlite(recordsFile(config.dataFolder));
}
