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

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-group-"));
  database = new DatabaseSync(join(folder, "file.sqlite"));
  database.exec("pragma journal_mode = wal; create table notes (text text not null unique)");
  other = new DatabaseSync(join(folder, "file.sqlite"));
  ran = [];
  refuse = () => false;
});
afterEach(() => {
  other.close();
  database.close();
  rmSync(folder, { recursive: true });
});

const groups = () =>
  createGroupCommit((sql) => {
    ran.push(sql);
    if (refuse(sql)) throw new Error(`refused: ${sql}`);
    database.exec(sql);
  });
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

  it("pass the mutex on when the file is locked", async () => {
    const group = groups();
    other.exec("begin immediate");
    await expect(write(group, "a")).rejects.toThrow(/locked/);
    other.exec("rollback");
    await write(group, "b");
    expect(kept()).toEqual(["b"]);
  });
});
