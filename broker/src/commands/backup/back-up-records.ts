import { chmod, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CrowdaiError } from "@crowdai/shared";
import { type BrokerConfig, recordsFile } from "../../base/config.ts";
import { digestFile, syncPath } from "./digest-file.ts";
import type { Manifest } from "./manifest.ts";
import { dumpPostgres } from "./postgres-programs.ts";

type BackedUp = Pick<Manifest, "records" | "instance">;

/**
 * Copies the records as of one moment, while brokers run. Migrates nothing: a backup is made before an
 * upgrade, and the new version may be installed already.
 */
export function backUpRecords(
  { databaseUrl, dataFolder, programPath }: Pick<BrokerConfig, "databaseUrl" | "dataFolder" | "programPath">,
  folder: string,
): Promise<BackedUp> {
  return databaseUrl
    ? fromPostgres(databaseUrl, folder, programPath)
    : fromSqlite(recordsFile(dataFolder), folder);
}

async function fromSqlite(source: string, folder: string): Promise<BackedUp> {
  await stat(source).catch((error) => {
    if (error.code === "ENOENT") throw new CrowdaiError("usage", `There are no records at ${source}.`);
    throw error;
  });
  const file = "records.sqlite";
  const path = join(folder, file);
  const database = new DatabaseSync(source);
  try {
    database.exec("pragma busy_timeout = 10000");
    database.prepare("vacuum into ?").run(path);
  } finally {
    database.close();
  }
  await chmod(path, 0o600);
  await syncPath(path);
  // Read from the copy: the records may have changed since.
  const copy = new DatabaseSync(path, { readOnly: true });
  try {
    const texts = (sql: string) =>
      copy
        .prepare(sql)
        .all()
        .map((row) => String(Object.values(row)[0]));
    const migrations = texts("select name from kysely_migration order by name");
    const [instance = null] = texts("select value from settings where name = 'instance'");
    return { instance, records: { dialect: "sqlite", file, migrations, ...(await digestFile(path)) } };
  } finally {
    copy.close();
  }
}

async function fromPostgres(url: string, folder: string, programPath: string): Promise<BackedUp> {
  const file = "records.dump";
  const path = join(folder, file);
  await dumpPostgres(url, path, programPath);
  await chmod(path, 0o600);
  await syncPath(path);
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const texts = async (sql: string) => (await client.query({ text: sql, rowMode: "array" })).rows.flat();
    const migrations = await texts("select name from kysely_migration order by name");
    const [instance = null] = await texts("select value from settings where name = 'instance'");
    return { instance, records: { dialect: "postgres", file, migrations, ...(await digestFile(path)) } };
  } finally {
    await client.end();
  }
}
