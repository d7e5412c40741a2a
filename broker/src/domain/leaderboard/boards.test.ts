import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { openSqlite } from "../../records/sqlite.ts";
import { boardsContract } from "./boards.contract.ts";

describe("boards on SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-boards-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  // Each runtime has a driver of its own, and half of the histories.
  boardsContract(
    () => openSqlite(join(folder, "boards.sqlite")),
    process.versions.bun === undefined ? [1, 2, 3] : [4, 5, 6],
  );
});
