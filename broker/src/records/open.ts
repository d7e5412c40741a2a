import { type BrokerConfig, recordsFile } from "../config.ts";
import { openPostgres } from "./postgres.ts";
import type { Records } from "./records.ts";
import { openSqlite } from "./sqlite.ts";

/** The records the settings name. */
export function openRecords(config: Pick<BrokerConfig, "dataFolder" | "databaseUrl">): Promise<Records> {
  return config.databaseUrl ? openPostgres(config.databaseUrl) : openSqlite(recordsFile(config.dataFolder));
}
