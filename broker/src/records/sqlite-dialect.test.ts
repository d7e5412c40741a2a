import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CompiledQuery, Kysely, sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openDatabaseLog } from "./log-sync.ts";
import { type SqliteConnections, sqliteDialect, statements } from "./sqlite-dialect.ts";

interface Tables {
  notes: { name: string; text: string };
}

let folder: string;
let connections: SqliteConnections;
let db: Kysely<Tables>;
let isOpen: boolean;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-dialect-"));
  const open = () => new DatabaseSync(join(folder, "notes.sqlite"));
  connections = {
    writer: open(),
    reader: open(),
    snapshots: open(),
    log: openDatabaseLog(join(folder, "notes.sqlite")),
  };
  connections.writer.exec("pragma journal_mode = wal; create table notes (name text primary key, text text)");
  for (const one of [connections.reader, connections.snapshots]) one.exec("pragma query_only = on");
  db = new Kysely<Tables>({ dialect: sqliteDialect(connections) });
  isOpen = true;
});
afterEach(async () => {
  if (isOpen) await db.destroy();
  rmSync(folder, { recursive: true });
});

const note = (name: string, text = "x") => db.insertInto("notes").values({ name, text });
const names = async (from: Pick<Kysely<Tables>, "selectFrom"> = db) =>
  (await from.selectFrom("notes").select("name").orderBy("name").execute()).map(({ name }) => name);
const reading = () => db.transaction().setAccessMode("read only");

describe("a statement outside transactions", () => {
  it("is stored, and says what it changed", async () => {
    expect(await note("a").executeTakeFirst()).toMatchObject({
      ...{ numInsertedOrUpdatedRows: 1n, insertId: 1n },
    });
    await note("b").execute();
    expect((await db.deleteFrom("notes").executeTakeFirst()).numDeletedRows).toBe(2n);
    expect(await names()).toEqual([]);
  });

  it("that fails leaves nothing behind, and does not keep the next from writing", async () => {
    await note("a").execute();
    await expect(note("a").execute()).rejects.toThrow(/UNIQUE/);
    await note("b").execute();
    expect(await names()).toEqual(["a", "b"]);
  });

  it("returns its rows when it says so", async () => {
    expect(await note("a", "1").returning("text").execute()).toEqual([{ text: "1" }]);
    expect(await db.updateTable("notes").set({ text: "2" }).returningAll().execute()).toEqual([
      { name: "a", text: "2" },
    ]);
    expect(await db.updateTable("notes").set({ text: "3" }).execute()).toMatchObject([
      { numUpdatedRows: 1n },
    ]);
    const without = db.deleteFrom("notes").returningAll().clearReturning();
    expect(await without.execute()).toMatchObject([{ numDeletedRows: 1n }]);
  });

  it("that only reads asks the connection that cannot write", async () => {
    // Begins and ends a transaction once, whose texts are then prepared.
    await note("b").execute();
    const prepared = vi.spyOn(connections.writer, "prepare");
    await names();
    await sql`select 1`.execute(db);
    await sql`\n  SELECT 1`.execute(db);
    expect(prepared).not.toHaveBeenCalled();
    await sql`delete from notes where name in (select name from notes)`.execute(db);
    await note("a").execute();
    expect(prepared).toHaveBeenCalledTimes(1);
  });
});

describe("a statement written as text", () => {
  it.each([
    ["select 1 as n", [{ n: 1 }]],
    ["\n  SELECT 1 as n", [{ n: 1 }]],
    ["with one (n) as (values (1)) select n from one", [{ n: 1 }]],
    ["  pragma user_version", [{ user_version: 0 }]],
    ["insert into notes values ('a', 'b') returning name", [{ name: "a" }]],
    ["insert into notes values ('select 1', 'returning')", []],
    ["insert into notes select 'a', 'b'", []],
    ["create table selected (name text)", []],
  ])("returns rows where it has some: %s", async (text, rows) => {
    expect((await sql.raw(text).execute(db)).rows).toEqual(rows);
    // In a transaction, one connection runs everything.
    if (rows.length > 0) await db.deleteFrom("notes").execute();
    if (rows.length > 0)
      await db.transaction().execute(async (trx) => {
        expect((await sql.raw(text).execute(trx)).rows).toEqual(rows);
      });
  });

  it("with the name of a column or table that begins like a keyword writes", async () => {
    for (const table of ["returnings", "withs", "selects"]) {
      await sql.raw(`create table ${table} (n integer)`).execute(db);
      const { rows, numAffectedRows } = await sql.raw(`insert into ${table} values (1)`).execute(db);
      expect([rows, numAffectedRows]).toEqual([[], 1n]);
    }
  });
});

describe("a transaction", () => {
  it("sees what it writes, before others do, and leaves nothing when it fails", async () => {
    const failing = db.transaction().execute(async (trx) => {
      await trx.insertInto("notes").values({ name: "a", text: "" }).execute();
      expect([await names(trx), await names()]).toEqual([["a"], []]);
      throw new Error("undone");
    });
    await expect(failing).rejects.toThrow("undone");
    expect(await names()).toEqual([]);
    await note("b").execute();
    expect(await names()).toEqual(["b"]);
  });

  it("that only reads sees one moment, and the next a later one, also after a failure", async () => {
    await note("a").execute();
    await reading().execute(async (trx) => {
      expect(await names(trx)).toEqual(["a"]);
      await note("b").execute();
      expect(await names(trx)).toEqual(["a"]);
    });
    const failing = reading().execute(async (trx) => {
      expect(await names(trx)).toEqual(["a", "b"]);
      await note("c").execute();
      throw new Error("undone");
    });
    await expect(failing).rejects.toThrow("undone");
    expect(await reading().execute((trx) => names(trx))).toEqual(["a", "b", "c"]);
  });

  it("that only reads waits for another one, not for one that writes", async () => {
    const order: string[] = [];
    const release = Promise.withResolvers<void>();
    const first = reading().execute(async (trx) => {
      await names(trx);
      order.push("first began");
      await release.promise;
      order.push("first ended");
    });
    const second = reading().execute(async (trx) => {
      order.push("second began");
      await names(trx);
    });
    await db.transaction().execute(async () => void order.push("written"));
    expect(order).not.toContain("second began");
    release.resolve();
    await Promise.all([first, second]);
    expect(order.filter((step) => step !== "written")).toEqual([
      ...["first began", "first ended", "second began"],
    ]);
  });

  it("leaves its connection without one", async () => {
    await db.connection().execute(async (one) => {
      await one.transaction().execute((trx) => names(trx));
      await one.insertInto("notes").values({ name: "a", text: "" }).execute();
      await one
        .transaction()
        .setAccessMode("read only")
        .execute((trx) => names(trx));
      await one.insertInto("notes").values({ name: "b", text: "" }).execute();
    });
    expect(await names()).toEqual(["a", "b"]);
  });
});

it("streams nothing, and says so", async () => {
  const stream = db.selectFrom("notes").selectAll().stream();
  await expect(stream.next()).rejects.toThrow("streaming is not supported");
});

it("can undo changes of tables, and use several connections", () => {
  const adapter = sqliteDialect(connections).createAdapter();
  expect([adapter.supportsTransactionalDdl, adapter.supportsMultipleConnections]).toEqual([true, true]);
});

it("knows its tables", async () => {
  expect((await db.introspection.getTables()).map(({ name }) => name)).toEqual(["notes"]);
});

it("closes every connection, and writes nothing more", async () => {
  await names();
  isOpen = false;
  await db.destroy();
  for (const one of [connections.writer, connections.reader, connections.snapshots])
    expect(() => one.exec("select 1")).toThrow();
});

describe("the statements of a connection", () => {
  const query = (text: string) => CompiledQuery.raw(text);

  it("are prepared once each, as long as there are not too many", () => {
    const database = new DatabaseSync(":memory:");
    const prepare = vi.spyOn(database, "prepare");
    const run = statements(database);
    for (let round = 0; round < 2; round++)
      for (let i = 0; i <= 500; i++) expect(run.execute(query(`select ${i} as n`)).rows).toEqual([{ n: i }]);
    expect(prepare).toHaveBeenCalledTimes(501);
    // One more makes room for others, and stays itself.
    for (let time = 0; time < 2; time++) run.execute(query("select 501 as n"));
    expect(prepare).toHaveBeenCalledTimes(502);
    run.execute(query("select 7 as n"));
    expect(prepare).toHaveBeenCalledTimes(503);
    run.close();
    expect(() => database.exec("select 1")).toThrow();
  });
});
