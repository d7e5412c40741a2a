import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Records } from "./records.ts";
import { openSqlite } from "./sqlite.ts";

let folder: string;
let records: Records;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-sqlite-"));
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

describe("records on SQLite", () => {
  it("are readable by their owner only, also in a folder that others can read", async () => {
    const open = mkdtempSync(join(tmpdir(), "crowdai-open-"));
    chmodSync(open, 0o755);
    const file = join(open, "records.sqlite");
    // As an earlier version leaves it after a crash.
    writeFileSync(`${file}-wal`, "");
    chmodSync(`${file}-wal`, 0o644);
    const others = await openSqlite(file);
    await write(others.db, "a");
    const modes = [file, `${file}-wal`, `${file}-shm`].map((path) => statSync(path).mode & 0o777);
    await others.close();
    rmSync(open, { recursive: true });
    expect(modes).toEqual([0o600, 0o600, 0o600]);
  });

  it("are not changed by an older program, which reports it", async () => {
    const file = join(folder, "records.sqlite");
    await sql`insert into kysely_migration (name, timestamp) values ('999-later', '2100-01-01T00:00:00Z')`.execute(
      records.db,
    );
    await expect(openSqlite(file)).rejects.toMatchObject({
      code: "usage",
      message: "The records were written by a newer version of the broker.",
    });
  });

  it("show only what is on disk outside transactions", async () => {
    await records.transaction(async (trx) => {
      await write(trx, "a");
      expect(await names(trx)).toEqual(["a"]);
      expect(await names(records.db)).toEqual([]);
    });
    expect(await names(records.db)).toEqual(["a"]);
  });

  it("are read as of one moment in a read-only transaction", async () => {
    await write(records.db, "a");
    const reading = records.db.transaction().setAccessMode("read only");
    await reading.execute(async (trx) => {
      expect(await names(trx)).toEqual(["a"]);
      await write(records.db, "b");
      expect(await names(trx)).toEqual(["a"]);
    });
    expect(await names(records.db)).toEqual(["a", "b"]);
  });

  it("let read-only transactions come one after another, and write nothing in them", async () => {
    const reading = () => records.db.transaction().setAccessMode("read only");
    const results = await Promise.allSettled([
      reading().execute((trx) => names(trx)),
      reading().execute((trx) => write(trx, "a")),
      reading().execute((trx) => names(trx)),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  it("store a hundred concurrent transactions", async () => {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => records.transaction((trx) => write(trx, `n${i}`))),
    );
    expect(await names(records.db)).toHaveLength(100);
  });
});
