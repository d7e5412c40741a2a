import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { Kysely } from "kysely";
import { describe, expect, it, onTestFinished } from "vitest";
import { createLogSync, openDatabaseLog } from "./log-sync.ts";
import { sqliteDialect } from "./sqlite-dialect.ts";

/** A disk that is as slow as the test wants. */
function slowDisk() {
  const syncs: PromiseWithResolvers<void>[] = [];
  const log = createLogSync(() => {
    const one = Promise.withResolvers<void>();
    syncs.push(one);
    return one.promise;
  });
  return { log, syncs };
}

const hasEnded = async (promise: Promise<unknown> | null) => {
  const pending = Symbol();
  await setImmediate();
  return (
    (await Promise.race([Promise.resolve(promise).catch(() => {}), Promise.resolve(pending)])) !== pending
  );
};

it("a log that has not grown is on disk", () => {
  const { log, syncs } = slowDisk();
  expect(log.settle()).toBeNull();
  expect(syncs).toEqual([]);
});

it("what is written during a sync waits for another one, which all of it shares", async () => {
  const { log, syncs } = slowDisk();
  log.grown();
  const first = log.settle();
  // Nothing was written since: it shares the sync that is under way.
  const reader = log.settle();
  log.grown();
  const second = log.settle();
  log.grown();
  const third = log.settle();
  expect(syncs).toHaveLength(1);
  syncs[0]!.resolve();
  await Promise.all([first, reader]);
  expect([await hasEnded(second), await hasEnded(third)]).toEqual([false, false]);
  expect(syncs).toHaveLength(2);
  syncs[1]!.resolve();
  await Promise.all([second, third]);
  expect(log.settle()).toBeNull();
  expect(syncs).toHaveLength(2);
});

it("a disk that has failed once is not trusted again", async () => {
  const { log, syncs } = slowDisk();
  log.grown();
  const first = log.settle();
  log.grown();
  const second = log.settle();
  const failure = Object.assign(new Error("i/o error"), { code: "EIO" });
  syncs[0]!.reject(failure);
  await expect(first).rejects.toBe(failure);
  await expect(second).rejects.toBe(failure);
  await expect(log.settle()).rejects.toBe(failure);
  log.grown();
  await expect(log.settle()).rejects.toBe(failure);
  expect(syncs).toHaveLength(1);
  expect(await log.failed).toBe(failure);
});

interface Notes {
  notes: { text: string };
}

/** A database with one table on a disk that is as slow as the test wants. */
function openNotes() {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-log-sync-"));
  const open = () => new DatabaseSync(join(folder, "notes.sqlite"));
  const writer = open();
  writer.exec("pragma journal_mode = wal; create table notes (text text not null)");
  const { log, syncs } = slowDisk();
  const db = new Kysely<Notes>({
    dialect: sqliteDialect({ writer, reader: open(), snapshots: open(), log: { ...log, close() {} } }),
  });
  onTestFinished(async () => {
    await db.destroy();
    rmSync(folder, { recursive: true });
  });
  const write = (text: string) =>
    db.transaction().execute((trx) => trx.insertInto("notes").values({ text }).execute());
  const read = () => db.selectFrom("notes").select("text").execute();
  return { db, syncs, write, read };
}

it("a transaction and a query that sees it resolve when the disk has it", async () => {
  const { db, syncs, write, read } = openNotes();
  expect(await read()).toEqual([]);
  const written = write("first");
  expect(await hasEnded(written)).toBe(false);
  const seen = read();
  const snapshot = db
    .transaction()
    .setAccessMode("read only")
    .execute((trx) => trx.selectFrom("notes").select("text").execute());
  expect([await hasEnded(seen), await hasEnded(snapshot)]).toEqual([false, false]);
  syncs[0]!.resolve();
  await written;
  expect([await seen, await snapshot]).toEqual([[{ text: "first" }], [{ text: "first" }]]);
});

it("a transaction that refuses because of another one waits until the disk has that one", async () => {
  const { db, syncs, write } = openNotes();
  const written = write("first");
  await hasEnded(written);
  const refused = db.transaction().execute(async (trx) => {
    if ((await trx.selectFrom("notes").select("text").execute()).length > 0) throw new Error("full");
  });
  refused.catch(() => {});
  expect(await hasEnded(refused)).toBe(false);
  syncs[0]!.resolve();
  await expect(refused).rejects.toThrow("full");
  expect(syncs).toHaveLength(1);
});

it("transactions go on while the disk writes, and share its next write", async () => {
  const { syncs, write, read } = openNotes();
  const first = write("first");
  await hasEnded(first);
  const others = [write("second"), write("third")];
  for (const other of others) expect(await hasEnded(other)).toBe(false);
  expect(syncs).toHaveLength(1);
  syncs[0]!.resolve();
  await first;
  for (const other of others) expect(await hasEnded(other)).toBe(false);
  expect(syncs).toHaveLength(2);
  syncs[1]!.resolve();
  await Promise.all(others);
  expect(await read()).toHaveLength(3);
});

it("a single statement resolves when the disk has it", async () => {
  const { db, syncs } = openNotes();
  const written = db.insertInto("notes").values({ text: "alone" }).execute();
  expect(await hasEnded(written)).toBe(false);
  syncs[0]!.resolve();
  await written;
});

describe("the log of a database", () => {
  /** A log on a disk of which the test decides how its syncs end; `seen` has what it was asked. */
  function openLog() {
    const seen: string[] = [];
    const syncs: ((error: Error | null) => void)[] = [];
    const log = openDatabaseLog("records.sqlite", {
      openSync(path, flags) {
        seen.push(`open ${path} ${flags}`);
        return 7;
      },
      fdatasync(descriptor, done) {
        seen.push(`sync ${descriptor}`);
        syncs.push(done);
      },
      fdatasyncSync: (descriptor) => void seen.push(`sync ${descriptor} in place`),
      closeSync: (descriptor) => void seen.push(`close ${descriptor}`),
    });
    return { log, seen, syncs };
  }
  const OPENED = "open records.sqlite-wal r+";

  it("is opened at the first commit, and once", async () => {
    const { log, seen, syncs } = openLog();
    log.close();
    expect(seen).toEqual([]);
    for (let at = 0; at < 2; at++) {
      log.grown();
      const settled = log.settle();
      await setImmediate();
      expect(await hasEnded(settled)).toBe(false);
      syncs[at]!(null);
      await settled;
    }
    expect(seen).toEqual([OPENED, "sync 7", "sync 7"]);
  });

  it("is on disk when it is closed", async () => {
    const { log, seen, syncs } = openLog();
    log.grown();
    const settled = log.settle();
    syncs[0]!(null);
    await settled;
    log.close();
    expect(seen).toEqual([OPENED, "sync 7", "sync 7 in place"]);
    await setImmediate();
    expect(seen.slice(3)).toEqual(["close 7"]);
  });

  it.each([[null], [new Error("EIO")]])("is closed after a sync that is under way (%s)", async (error) => {
    const { log, seen, syncs } = openLog();
    log.grown();
    const settled = log.settle();
    settled?.catch(() => {});
    log.close();
    await setImmediate();
    expect(seen).toEqual([OPENED, "sync 7", "sync 7 in place"]);
    syncs[0]!(error);
    await setImmediate();
    expect(seen.slice(3)).toEqual(["close 7"]);
  });

  it("is left to SQLite once the disk has failed", async () => {
    const { log, seen, syncs } = openLog();
    log.grown();
    const settled = log.settle();
    syncs[0]!(new Error("EIO"));
    await expect(settled).rejects.toThrow("EIO");
    expect(await log.failed).toMatchObject({ message: "EIO" });
    log.close();
    await setImmediate();
    expect(seen).toEqual([OPENED, "sync 7", "close 7"]);
  });

  it("that cannot be opened has failed, and is closed like one that was never needed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "crowdai-log-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const log = openDatabaseLog(join(folder, "missing", "records.sqlite"));
    log.grown();
    await expect(log.settle()).rejects.toMatchObject({ code: "ENOENT" });
    expect(await log.failed).toMatchObject({ code: "ENOENT" });
    log.close();
  });
});
