import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFolderStore, type FolderStore } from "@crowdai/shared/objects";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { commit } from "./commit.ts";
import { lockDataFolder } from "./data-lock.ts";
import { claimObjects, readInstance } from "./instance.ts";
import { openRecords } from "./open.ts";
import type { Records } from "./records.ts";
import { readSecret } from "./secret.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "crowdai-data-folder-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a data folder", () => {
  it("is created for its owner alone, and has one broker at a time", () => {
    const data = join(folder, "data");
    const { release } = lockDataFolder(data);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(() => lockDataFolder(data)).toThrow(
      expect.objectContaining({
        code: "data_in_use",
        message: `Another broker is using the data folder ${data}.`,
      }),
    );
    release();
    lockDataFolder(data).release();
  });

  it("whose lock is not one says so", () => {
    const path = join(folder, "broker.lock");
    writeFileSync(path, "x".repeat(9000));
    expect(() => lockDataFolder(folder)).toThrow(
      expect.objectContaining({ code: "data_unusable", message: expect.stringContaining(path) }),
    );
  });
});

describe("records", () => {
  const data = mkdtempSync(join(tmpdir(), "crowdai-records-"));
  let records: Records;
  let objects: FolderStore;
  beforeAll(async () => {
    records = await openRecords({ dataFolder: data, databaseUrl: undefined });
  });
  beforeEach(async () => {
    objects = await createFolderStore({ folder, baseUrl: () => "http://localhost", secret: "s" });
  });
  afterEach(async () => {
    await objects.close();
    await records.db.deleteFrom("settings").execute();
  });
  afterAll(async () => {
    await records.close();
    rmSync(data, { recursive: true });
  });

  it("are a file of the data folder where no database is named", () => {
    expect(records).toMatchObject({ dialect: "sqlite", name: `SQLite (${join(data, "records.sqlite")})` });
    expect(existsSync(join(data, "records.sqlite"))).toBe(true);
  });

  it("are at the server that is named", async () => {
    // Nothing listens there.
    const databaseUrl = "postgres://ada@127.0.0.1:1/records";
    await expect(openRecords({ dataFolder: folder, databaseUrl })).rejects.toMatchObject({
      ...{ code: "records_unreachable", message: "PostgreSQL at 127.0.0.1:1 cannot be reached." },
    });
  });

  it("have an identity and secrets that stay, also when they are first read at once", async () => {
    const { db } = records;
    const instances = await Promise.all([readInstance(db), readInstance(db)]);
    expect(instances[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set([...instances, await readInstance(db)]).size).toBe(1);
    const read = () => readSecret(db, "webhook_secret");
    const secrets = await Promise.all([read(), read()]);
    expect(secrets[0]).toMatch(/^[\w-]{43}$/);
    expect(new Set([...secrets, await read()]).size).toBe(1);
    expect(await readSecret(db, "environment_secret")).not.toBe(secrets[0]);
  });

  it("mark the objects as theirs, and accept the mark afterwards", async () => {
    await claimObjects(records.db, objects);
    const { instance } = await mark();
    expect(instance).toBe(await readInstance(records.db));
    await claimObjects(records.db, objects);
    expect(await mark()).toEqual({ instance });
  });

  it.each([JSON.stringify({ instance: "another" }), "null", "{}", "["])(
    "refuse objects that are marked otherwise: %s",
    async (text) => {
      await objects.put("instance.json", Buffer.from(text), { type: "application/json" });
      await expect(claimObjects(records.db, objects)).rejects.toMatchObject({
        code: "data_mixed",
        message: `The objects (${objects.name}) belong to a different broker than the records.`,
      });
    },
  );

  it("run a named transaction, and return what it does", async () => {
    const work = commit(records, "test", async (trx) => {
      await trx.insertInto("settings").values({ name: "a", value: "b" }).execute();
      return 7;
    });
    expect(await work).toBe(7);
    const failing = commit(records, "test", async (trx) => {
      await trx.deleteFrom("settings").execute();
      throw new Error("undone");
    });
    await expect(failing).rejects.toThrow("undone");
    expect(await records.db.selectFrom("settings").select("name").execute()).toEqual([{ name: "a" }]);
  });

  async function mark(): Promise<{ instance: string }> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await objects.get("instance.json")) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  }
});
