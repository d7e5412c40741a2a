import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../test/support/until.ts";
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

  it("are readable by their owner only after a crash that left files which others can read", async () => {
    await write(records.db, "a");
    const copies = mkdtempSync(join(tmpdir(), "crowdai-copies-"));
    const files = ["records.sqlite", "records.sqlite-wal", "records.sqlite-shm"];
    for (const name of files) {
      copyFileSync(join(folder, name), join(copies, name));
      chmodSync(join(copies, name), 0o644);
    }
    const others = await openSqlite(join(copies, "records.sqlite"));
    const modes = files.map((name) => statSync(join(copies, name)).mode & 0o777);
    expect(await names(others.db)).toContain("a");
    await others.close();
    rmSync(copies, { recursive: true });
    expect(modes).toEqual([0o600, 0o600, 0o600]);
  });

  it("are created in a folder of their own, and closed without open files", async () => {
    const deep = join(folder, "new", "records.sqlite");
    const others = await openSqlite(deep);
    await write(others.db, "a");
    expect(statSync(dirname(deep)).mode & 0o777).toBe(0o700);
    await others.close();
    await expect(write(others.db, "b")).rejects.toThrow();
    if (process.platform !== "linux") return;
    const open = () =>
      readdirSync("/proc/self/fd").filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dirname(deep));
        } catch {
          return false;
        }
      });
    await until(async () => open().length === 0);
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

  it("have another state after each change, also one of another process, and none that was before", async () => {
    const other = await openSqlite(join(folder, "records.sqlite"));
    const states = [await records.state()];
    expect(await records.state()).toBe(states[0]);
    for (const db of [records.db, other.db, records.db]) {
      await write(db, `n${states.length}`);
      states.push(await records.state());
    }
    await other.close();
    expect(new Set(states).size).toBe(4);
    for (const state of states) expect(state).toMatch(/^\d+$/);
  });

  it("return a submission to the transaction that locks it, or nothing", async () => {
    await records.db
      .insertInto("participants")
      .values({ id: 1, name: "ada", name_key: "ada", created_at: "" })
      .execute();
    const values = {
      ...{ challenge: "c", participant_id: 1, round: "1", function: "submit", state: "graded" as const },
      ...{ dry_run: 0, post_challenge: 0, input_kind: "json" as const, input_size: 1, input_sha256: "" },
      ...{ created_at: "", attempt: 1, starts: 1, seq: 1 },
    };
    const both = ["one", "other"].map((id) => ({ id, ...values }));
    await records.db.insertInto("submissions").values(both).execute();
    await records.transaction(async (trx) => {
      expect(await records.lockSubmission(trx, "other")).toMatchObject({ id: "other", challenge: "c" });
      expect(await records.lockSubmission(trx, "absent")).toBeUndefined();
    });
  });

  it("store a hundred concurrent transactions", async () => {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) => records.transaction((trx) => write(trx, `n${i}`))),
    );
    expect(await names(records.db)).toHaveLength(100);
  });
});
