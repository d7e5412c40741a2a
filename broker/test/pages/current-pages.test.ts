import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { openSqlite } from "../../src/records/sqlite.ts";
import { writeMigratedSqlite } from "../support/migrated-sqlite.ts";
import { currentPagesContract } from "./current-pages.contract.ts";

describe("pages of two brokers with one SQLite file", () => {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-pages-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "records.sqlite");
  currentPagesContract(async () => {
    await writeMigratedSqlite(file);
    return openSqlite(file);
  });
});
