import { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { until } from "../../test/support/until.ts";
import { type Checkpoints, createCheckpoints, type LoadWorker } from "./checkpoints.ts";
import { openSqlite } from "./sqlite.ts";

const COMMITS = 64;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-checkpoints-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

it("what was committed is copied to the database while it is open, and the log is gone when it is closed", async () => {
  const file = join(folder, "records.sqlite");
  const records = await openSqlite(file);
  const before = statSync(file).size;
  const value = "x".repeat(10_000);
  for (let at = 0; at < COMMITS; at++)
    await records.db
      .insertInto("settings")
      .values({ name: `note-${at}`, value })
      .execute();
  await until(async () => statSync(file).size > before + (COMMITS / 2) * value.length);
  await records.close();
  expect(statSync(`${file}-wal`, { throwIfNoEntry: false })).toBeUndefined();
  const database = new DatabaseSync(file);
  onTestFinished(() => database.close());
  expect(database.prepare("select count(*) as n from settings where value = ?").get(value)).toEqual({
    n: COMMITS,
  });
});

it("a database that cannot be opened again is left to SQLite's own copies", async () => {
  const checkpoints = createCheckpoints(join(folder, "missing", "records.sqlite"));
  for (let at = 0; at < 2 * COMMITS; at++) checkpoints.committed();
  await checkpoints.close();
});

describe("the thread that copies", () => {
  const COPY_EVERY = 32;

  /** Checkpoints with a thread of which the test decides what it does. */
  function withThread() {
    const seen: string[] = [];
    const threads: EventEmitter[] = [];
    class TestWorker extends EventEmitter {
      constructor(_: URL, { workerData }: { workerData: string }) {
        super();
        threads.push(this);
        seen.push(`start for ${workerData}`);
      }
      postMessage = (message: string) => void seen.push(message);
      ref = () => void seen.push("ref");
      unref = () => void seen.push("unref");
    }
    const load = (async () => ({ Worker: TestWorker as unknown as typeof Worker })) satisfies LoadWorker;
    const checkpoints = createCheckpoints("records.sqlite", load);
    return {
      ...{ seen, checkpoints },
      async commit(times: number) {
        for (let at = 0; at < times; at++) checkpoints.committed();
        await passTurns();
      },
      emit: (event: string, ...values: unknown[]) => threads[0]!.emit(event, ...values),
    };
  }
  const passTurns = () => new Promise((resolve) => setImmediate(resolve));
  function startClosing(checkpoints: Checkpoints): () => Promise<boolean> {
    let isClosed = false;
    checkpoints.close().then(() => {
      isClosed = true;
    });
    return async () => {
      await passTurns();
      return isClosed;
    };
  }

  it("starts when there is enough to copy, and keeps no program alive", async () => {
    const { seen, commit } = withThread();
    await commit(COPY_EVERY - 1);
    expect(seen).toEqual([]);
    await commit(1);
    expect(seen).toEqual(["start for records.sqlite", "unref", "copy"]);
  });

  it("copies once at a time, and soon again when enough was committed meanwhile", async () => {
    const { seen, commit, emit } = withThread();
    const copies = () => seen.filter((message) => message === "copy").length;
    await commit(3 * COPY_EVERY);
    expect(copies()).toBe(1);
    emit("message", "copied");
    await commit(1);
    expect(copies()).toBe(2);
    emit("message", "copied");
    await commit(COPY_EVERY - 1);
    expect(copies()).toBe(2);
    await commit(1);
    expect(copies()).toBe(3);
    expect(seen.filter((message) => message.startsWith("start"))).toHaveLength(1);
  });

  it.each(["exit", "error"])("is waited for until it has ended (%s)", async (event) => {
    const { seen, checkpoints, commit, emit } = withThread();
    await commit(COPY_EVERY);
    const isClosed = startClosing(checkpoints);
    expect(await isClosed()).toBe(false);
    expect(seen.slice(-2)).toEqual(["ref", "end"]);
    emit(event, new Error("why"));
    expect(await isClosed()).toBe(true);
  });

  it("is not waited for when it was never needed", async () => {
    const { seen, checkpoints, commit } = withThread();
    await commit(1);
    expect(await startClosing(checkpoints)()).toBe(true);
    expect(seen).toEqual([]);
  });

  it("is done without where it cannot be started", async () => {
    const checkpoints = createCheckpoints("records.sqlite", () => Promise.reject(new Error("EAGAIN")));
    for (let at = 0; at < 2 * COPY_EVERY; at++) checkpoints.committed();
    await passTurns();
    expect(await startClosing(checkpoints)()).toBe(true);
  });
});
