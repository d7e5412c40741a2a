import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createGroupCommit } from "./group-commit.ts";

let folder: string;
let database: DatabaseSync;
let other: DatabaseSync;
let ran: string[];
let refuse: (sql: string) => boolean;
let clock: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-group-"));
  database = new DatabaseSync(join(folder, "file.sqlite"));
  database.exec("pragma journal_mode = wal; create table notes (text text not null unique)");
  other = new DatabaseSync(join(folder, "file.sqlite"));
  ran = [];
  refuse = () => false;
  clock = 1000;
});
afterEach(() => {
  other.close();
  database.close();
  rmSync(folder, { recursive: true });
});

const groups = () =>
  createGroupCommit(
    (sql) => {
      ran.push(sql);
      if (refuse(sql)) throw new Error(`refused: ${sql}`);
      database.exec(sql);
    },
    () => clock,
  );
const kept = () =>
  other
    .prepare("select text from notes order by text")
    .all()
    .map(({ text }) => text);

/** A transaction that writes its text, and waits in between as one that queries something. */
async function write(group: ReturnType<typeof groups>, text: string): Promise<void> {
  await group.begin();
  try {
    await Promise.resolve();
    database.prepare("insert into notes values (?)").run(text);
    await Promise.resolve();
  } catch (error) {
    await group.rollback();
    throw error;
  }
  await group.commit();
}

describe("transactions that share a commit", () => {
  it("may be concurrent, and are all on disk when they resolve", async () => {
    const group = groups();
    await Promise.all(["a", "b", "c", "d"].map((text) => write(group, text)));
    expect(kept()).toEqual(["a", "b", "c", "d"]);
    expect(ran.filter((sql) => sql === "commit")).toHaveLength(1);
  });

  it("do not wait for others: one alone is committed at once", async () => {
    const group = groups();
    await write(group, "a");
    await write(group, "b");
    expect(ran.filter((sql) => sql === "commit")).toHaveLength(2);
  });

  it("do not resolve before the commit", async () => {
    const group = groups();
    const seen: unknown[] = [];
    await Promise.all(
      ["a", "b"].map((text) =>
        write(group, text).then(() => {
          seen.push(kept());
        }),
      ),
    );
    expect(seen).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
  });

  it("fail alone when their own statements fail", async () => {
    const group = groups();
    const results = await Promise.allSettled(["a", "a", "b"].map((text) => write(group, text)));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(kept()).toEqual(["a", "b"]);
  });

  it("leave nothing when they are rolled back", async () => {
    const group = groups();
    await group.begin();
    database.prepare("insert into notes values ('x')").run();
    const other = write(group, "b");
    await group.rollback();
    await other;
    expect(kept()).toEqual(["b"]);
    ran = [];
    await group.begin();
    await group.rollback();
    expect(ran).toEqual([
      ...["begin immediate", "savepoint member", "rollback to member", "release member", "commit"],
    ]);
  });

  it("fail together when the commit fails, without effect on the next group", async () => {
    const group = groups();
    refuse = (sql) => sql === "commit";
    const results = await Promise.allSettled(["a", "b"].map((text) => write(group, text)));
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    refuse = () => false;
    await write(group, "c");
    expect(kept()).toEqual(["c"]);
  });

  it("fail together when a savepoint is in doubt", async () => {
    const group = groups();
    let releases = 0;
    refuse = (sql) => sql === "release member" && ++releases === 2;
    const results = await Promise.allSettled(["a", "b", "c"].map((text) => write(group, text)));
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
    expect(kept()).toEqual(["c"]);
  });

  it("are at most 128, so that the first need not wait for all", async () => {
    const group = groups();
    await Promise.all(Array.from({ length: 130 }, (_, index) => write(group, `${index}`)));
    expect(kept()).toHaveLength(130);
    const [first, second] = [ran.indexOf("commit"), ran.lastIndexOf("commit")];
    const begun = (statements: string[]) => statements.filter((sql) => sql === "savepoint member").length;
    expect([begun(ran.slice(0, first)), begun(ran.slice(first, second))]).toEqual([128, 2]);
  });

  it.each([
    [20, 1],
    [21, 2],
  ])("wait for one that takes %i ms in %i commits", async (ms, commits) => {
    const group = groups();
    const slow = (async () => {
      await group.begin();
      clock += ms;
      await group.commit();
    })();
    await Promise.all([slow, write(group, "b")]);
    expect(ran.filter((sql) => sql === "commit")).toHaveLength(commits);
  });

  it("are committed when the records are closed in between", async () => {
    const group = groups();
    group.close();
    expect(ran).toEqual([]);
    const waiting = Promise.all([write(group, "a"), write(group, "b")]);
    while (!ran.includes("release member")) await Promise.resolve();
    group.close();
    expect(kept()).toEqual(["a"]);
    refuse = () => true;
    await expect(waiting).rejects.toThrow("refused: ");
  });

  it("fail where the records were closed before their end, and let the next begin", async () => {
    const group = groups();
    await group.begin();
    group.close();
    await expect(group.commit()).rejects.toThrow(/savepoint/);
    await write(group, "b");
    expect(kept()).toEqual(["b"]);
  });

  it("are rolled back together where one that is rolled back leaves its savepoint in doubt", async () => {
    const group = groups();
    refuse = (sql) => sql === "rollback to member";
    const results = await Promise.allSettled(["a", "a", "b"].map((text) => write(group, text)));
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
    expect(kept()).toEqual(["b"]);
  });

  it("pass the mutex on when the file is locked", async () => {
    const group = groups();
    other.exec("begin immediate");
    await expect(write(group, "a")).rejects.toThrow(/locked/);
    expect(ran).toEqual(["begin immediate"]);
    other.exec("rollback");
    await write(group, "b");
    expect(kept()).toEqual(["b"]);
  });
});
