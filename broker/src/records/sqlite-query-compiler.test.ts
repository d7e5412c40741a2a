import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Records } from "./records.ts";
import { openSqlite } from "./sqlite.ts";
import { PARTIALLY_INDEXED } from "./sqlite-query-compiler.ts";

const folder = mkdtempSync(join(tmpdir(), "crowdai-compiler-"));
let records: Records;
beforeAll(async () => {
  records = await openSqlite(join(folder, "records.sqlite"));
});
afterAll(async () => {
  await records.close();
  rmSync(folder, { recursive: true });
});

it("limits and values that decide about partial indexes are part of the text, others are parameters", () => {
  const { sql: text, parameters } = records.db
    .selectFrom("submissions")
    .select("id")
    .where("submissions.state", "=", "graded")
    .where("dry_run", "=", 0)
    .where("challenge", "=", "sums")
    .where("state", "in", ["failed"])
    .limit(5)
    .compile();
  expect(text).toContain(`"submissions"."state" = 'graded' and "dry_run" = 0 and "challenge" = ?`);
  expect(text).toMatch(/"state" in \(\?\).* limit 5$/);
  expect(parameters).toEqual(["sums", "failed"]);
});

it("values that may be anything stay parameters, and so do those that are written", () => {
  const odd = records.db
    .selectFrom("submissions")
    .select("id")
    .where("state", "=", "x' or 1=1 --" as never);
  expect(odd.compile().parameters).toEqual(["x' or 1=1 --"]);
  for (const value of ["1' or state", "A", "a".repeat(21), ""]) {
    const other = records.db.selectFrom("submissions").where("state", "=", value as never);
    expect(other.compile().parameters).toEqual([value]);
  }
  const written = records.db.updateTable("submissions").set({ state: "graded" }).where("id", "=", "1");
  expect(written.compile().parameters).toEqual(["graded", "1"]);
});

it("knows every column whose value decides about a partial index", async () => {
  const { rows } = await sql<{
    sql: string;
  }>`select sql from sqlite_master where type = 'index' and sql like '% where %'`.execute(records.db);
  const compared = rows.flatMap(({ sql }) =>
    [...sql.slice(sql.indexOf(" where ")).matchAll(/"?(\w+)"? = /g)].map(([, column]) => column),
  );
  expect([...new Set(compared)].sort()).toEqual([...PARTIALLY_INDEXED].sort());
});
