import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Db, Records } from "./records.ts";
import { openSqlite } from "./sqlite.ts";

describe("transactions on SQLite that come at once", () => {
  let folder: string;
  let records: Records;
  let other: DatabaseSync;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-sqlite-"));
    records = await openSqlite(join(folder, "records.sqlite"));
    other = new DatabaseSync(join(folder, "records.sqlite"));
  });
  afterEach(async () => {
    other.close();
    await records.close();
    await rm(folder, { recursive: true });
  });

  const write = (db: Db, name: string) => db.insertInto("settings").values({ name, value: name }).execute();
  const read = (name: string) =>
    records.db.selectFrom("settings").select("value").where("name", "=", name).executeTakeFirst();
  /** What another connection sees is committed. */
  const committed = (name: string) =>
    other.prepare("select count(*) as n from settings where name = ?").get(name)?.n === 1;

  it("are each committed before they are answered", async () => {
    const names = Array.from({ length: 200 }, (_, i) => `n${i}`);
    const seen = await Promise.all(
      names.map(async (name) => {
        await records.transaction((trx) => write(trx, name));
        return committed(name);
      }),
    );
    expect(seen.every(Boolean)).toBe(true);
  });

  it("show nobody what is not committed yet", async () => {
    const writing = records.transaction((trx) => write(trx, "seen"));
    const row = await read("seen");
    expect(row && !committed("seen")).toBeFalsy();
    await writing;
  });

  it("fail alone", async () => {
    const results = await Promise.allSettled(
      ["a", "b", "a", "c"].map((name) =>
        records.transaction(async (trx) => {
          await write(trx, `by ${name}`);
          await write(trx, name);
        }),
      ),
    );
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect(["a", "b", "c", "by c"].every(committed)).toBe(true);
  });

  it("are all refused when their common commit is", async () => {
    // Checked at the commit only, as a full disk would be.
    other.exec(`create table parents (id integer primary key);
      create table children (parent integer references parents (id) deferrable initially deferred)`);
    const orphan = (trx: Db) =>
      trx
        .insertInto("children" as "settings")
        .values({ parent: 1 } as never)
        .execute();
    const results = await Promise.allSettled([
      records.transaction((trx) => write(trx, "with it")),
      records.transaction(orphan),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(committed("with it")).toBe(false);
    await records.transaction((trx) => write(trx, "afterwards"));
    expect(committed("afterwards")).toBe(true);
  });
});
