import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openSqlite } from "../../src/records/sqlite.ts";

let template: Promise<Buffer> | undefined;

/**
 * Writes an empty SQLite file with all migrations applied, where there is none: hundreds of brokers start
 * without migrating one each.
 */
export async function writeMigratedSqlite(file: string): Promise<void> {
  if (existsSync(file)) return;
  template ??= migrateOnce();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, await template);
}

async function migrateOnce(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-template-"));
  try {
    const file = join(folder, "records.sqlite");
    const records = await openSqlite(file);
    await records.close();
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
