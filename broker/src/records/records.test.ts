import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Kysely, sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordsMigratedTo } from "../../test/support/migrated-records.ts";
import { migrate, migrationNames, type Records, readTogether } from "./records.ts";
import { openSqlite } from "./sqlite.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";
import type { Tables } from "./tables.ts";

describe("migrations", () => {
  it("bring older records to the current version, once each, in order", async () => {
    const { db } = await recordsMigratedTo("010-runs");
    for (let time = 0; time < 2; time++) {
      await migrate(db, "sqlite");
      const { rows } = await sql<{
        name: string;
      }>`select name from kysely_migration order by timestamp, name`.execute(db);
      expect(rows.map(({ name }) => name)).toEqual(migrationNames());
    }
    expect(migrationNames()).toEqual(migrationNames().toSorted());
  });

  it("by a newer program are recognized, and leave the records as they are", async () => {
    const { db } = await recordsMigratedTo("010-runs");
    const later = sql`insert into kysely_migration (name, timestamp) values ('999-later', '2100')`;
    await later.execute(db);
    await expect(migrate(db, "sqlite")).rejects.toMatchObject({
      code: "usage",
      message: "The records were written by a newer version of the broker.",
      next: "Start that version, or restore a backup made before it ran.",
      cause: expect.any(Error),
    });
  });

  it("that fail are reported as they are", async () => {
    const { db } = await recordsMigratedTo("010-runs");
    await sql`drop table submissions`.execute(db);
    await expect(migrate(db, "sqlite")).rejects.toThrow(/no such table/);
  });

  it("of a database whose migrations cannot be read are reported as they are", async () => {
    const { db } = await recordsMigratedTo("001-first");
    await sql`alter table kysely_migration rename column name to title`.execute(db);
    await expect(migrate(db, "sqlite")).rejects.toThrow(/no such column/);
  });
});

it("a database that cannot be written is reported as it is, also before its first migration", async () => {
  const open = () => new DatabaseSync(":memory:");
  const log = { grown() {}, settle: () => null, close() {} };
  const connections = { writer: open(), reader: open(), snapshots: open(), log };
  connections.writer.exec("pragma query_only = on");
  const db = new Kysely<Tables>({ dialect: sqliteDialect(connections) });
  await expect(migrate(db, "sqlite")).rejects.toThrow(/readonly/);
  await db.destroy();
});

describe("what is read together", () => {
  let folder: string;
  let records: Records;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-together-"));
    records = await openSqlite(join(folder, "records.sqlite"));
  });
  afterEach(async () => {
    await records.close();
    rmSync(folder, { recursive: true });
  });
  const write = (db: Pick<Records["db"], "insertInto">, name: string) =>
    db.insertInto("settings").values({ name, value: "x" }).execute();
  const names = async (db: Pick<Records["db"], "selectFrom">) =>
    (await db.selectFrom("settings").select("name").orderBy("name").execute()).map(({ name }) => name);

  it("is of one moment, and writes nothing", async () => {
    await readTogether(records.db, async (trx) => {
      expect(await names(trx)).toEqual([]);
      await write(records.db, "a");
      expect(await names(trx)).toEqual([]);
      await expect(write(trx, "b")).rejects.toThrow();
    });
    expect(await names(records.db)).toEqual(["a"]);
  });

  it("is of the transaction that it is read in", async () => {
    await records.transaction(async (trx) => {
      await write(trx, "a");
      expect(await readTogether(trx, names)).toEqual(["a"]);
      await readTogether(trx, (same) => write(same, "b"));
    });
    expect(await names(records.db)).toEqual(["a", "b"]);
  });
});
