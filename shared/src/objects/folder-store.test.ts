import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { announced, collect, KEY, offered, PART, someBytes, textOf } from "./contract/bytes.ts";
import { objectStoreContract } from "./contract/object-store.contract.ts";
import { createFolderStore, type FolderStore } from "./folder-store.ts";
import { type ObjectServer, serveObjects } from "./testing/serve-objects.ts";

const SECRET = "a secret of the test";

interface Served {
  folder: string;
  store: FolderStore;
  server: ObjectServer;
  clock: { now: number };
  close(): Promise<void>;
}

async function createServed(): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-objects-"));
  const clock = { now: Date.now() };
  const server = await serveObjects(() => store);
  const store = await createFolderStore({
    folder,
    baseUrl: () => server.url,
    secret: SECRET,
    now: () => clock.now,
  });
  return {
    folder,
    store,
    server,
    clock,
    async close() {
      await server.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

objectStoreContract("the folder store", createServed);

describe("the folder store", () => {
  let served: Served;
  beforeEach(async () => {
    served = await createServed();
  });
  afterEach(() => served.close());

  const partAddress = async () =>
    (await served.store.planUpload(KEY, offered(someBytes(PART + 1)))).parts[1]!.url;
  const putAddress = async (bytes: Uint8Array) =>
    (await served.store.planUpload(KEY, announced(bytes))).parts[0]!.url;

  it("keeps its objects when it is reopened", async () => {
    await served.store.put(KEY, textOf("kept"));
    const again = await createFolderStore({ folder: served.folder, baseUrl: () => "", secret: SECRET });
    expect(await collect(await again.get(KEY))).toEqual(textOf("kept"));
  });

  it("removes incoming files of an earlier process at start", async () => {
    const arriving = join(served.folder, "arriving");
    for (const name of [`${process.pid}-left`, "999999999-gone", "rubbish"])
      await writeFile(join(arriving, name), "x");
    await writeFile(join(arriving, `${process.ppid}-alive`), "x");
    await createFolderStore({ folder: served.folder, baseUrl: () => "", secret: SECRET });
    expect(await readdir(arriving)).toEqual([`${process.ppid}-alive`]);
  });

  it("leaves no incoming files, whether an object was accepted or not", async () => {
    await served.store.put(KEY, textOf("taken"));
    await served.store.put(KEY, textOf("other")).catch(() => {});
    await served.store.put("b", textOf("short"), { expected: announced(textOf("longer")) }).catch(() => {});
    expect(await readdir(join(served.folder, "arriving"))).toEqual([]);
  });

  it("accepts an object again whose metadata was lost in a crash", async () => {
    await served.store.put(KEY, textOf("half written"));
    await rm(join(served.folder, "stored", `${KEY}@proof`));
    expect(await served.store.stat(KEY)).toBeNull();
    await served.store.put(KEY, textOf("whole"));
    expect(await collect(await served.store.get(KEY))).toEqual(textOf("whole"));
  });

  it("neither writes nor reads through a link", async () => {
    const outside = join(served.folder, "outside");
    await mkdir(outside);
    await mkdir(join(served.folder, "stored/submissions"), { recursive: true });
    await symlink(outside, join(served.folder, "stored/submissions/iris"));
    await expect(served.store.put(KEY, textOf("x"))).rejects.toMatchObject({ code: "store_unreachable" });
    expect(await readdir(outside)).toEqual([]);

    await writeFile(join(served.folder, "private"), "secret");
    await served.store.put("a/b", textOf("public"));
    const bytes = join(served.folder, "stored/a/b@bytes");
    await rm(bytes);
    await symlink(join(served.folder, "private"), bytes);
    await expect(served.store.get("a/b").then(collect)).rejects.toMatchObject({ code: "object_missing" });
  });

  it("reports a failing folder without its path", async () => {
    await rm(join(served.folder, "arriving"), { recursive: true });
    const failure = await served.store.put(KEY, textOf("x")).catch((error) => error);
    expect(failure).toMatchObject({ code: "store_unreachable" });
    expect(failure.message).not.toContain(served.folder);
  });

  it("lets its URLs expire", async () => {
    const url = await putAddress(textOf("late"));
    await served.store.put("other", textOf("there"));
    const read = await served.store.signGet("other", { seconds: 60 });
    served.clock.now += 59_000;
    expect((await fetch(read)).status).toBe(200);
    served.clock.now += 1_000;
    expect((await fetch(read)).status).toBe(403);
    served.clock.now += 3_600_000;
    const answer = await fetch(url, { method: "PUT", body: "late" });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({ error: { code: "signature_invalid" } });
    expect(await served.store.stat(KEY)).toBeNull();
  });

  it("accepts only its own signatures", async () => {
    const other = await createFolderStore({
      folder: served.folder,
      baseUrl: () => served.server.url,
      secret: "another",
    });
    const { parts } = await other.planUpload(KEY, announced(textOf("x")));
    expect((await fetch(parts[0]!.url, { method: "PUT", body: "x" })).status).toBe(403);
    for (const path of [
      "/objects/",
      "/objects/a",
      "/objects/%ff",
      "/objects/%2e%2e%2fx?signature=AA",
      "/elsewhere",
    ])
      expect((await fetch(served.server.url + path)).status).toBe(403);
  });

  it.each([
    ["fewer", 3],
    ["more", 5],
  ])("rejects %s bytes than announced by their declared length, before reading them", async (_, length) => {
    const url = await putAddress(textOf("four"));
    const answer = await fetch(url, { method: "PUT", body: "x".repeat(length) });
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({
      error: { code: "digest_mismatch", message: expect.stringContaining("4 bytes") },
    });
  });

  it("shows nothing of an interrupted upload", async () => {
    const url = new URL(await putAddress(textOf("0123456789")));
    const sending = request(url, { method: "PUT", headers: { "content-length": 10 } });
    sending.on("error", () => {});
    sending.write("01234");
    await hasArrived(1);
    sending.destroy();
    await hasArrived(0);
    expect(await served.store.stat(KEY)).toBeNull();
    expect((await fetch(url, { method: "PUT", body: "0123456789" })).status).toBe(201);
  });

  it("serves objects so that they cannot act as pages of the broker", async () => {
    await served.store.put(KEY, textOf("<script>alert(1)</script>"));
    const { headers } = await fetch(await served.store.signGet(KEY, { seconds: 60, type: "text/html" }));
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-disposition")).toMatch(/^attachment/);
    expect(headers.get("content-security-policy")).toContain("sandbox");
  });

  it("returns only the headers for HEAD", async () => {
    await served.store.put(KEY, textOf("0123456789"));
    const answer = await fetch(await served.store.signGet(KEY, { seconds: 60 }), { method: "HEAD" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-length")).toBe("10");
    expect(await answer.text()).toBe("");
  });

  it("accepts no URL with additional parameters", async () => {
    for (const url of [await putAddress(textOf("x")), await partAddress()])
      for (const [name, value] of new URL(url).searchParams) {
        const doubled = new URL(url);
        doubled.search = `?${name}=${encodeURIComponent(value.slice(1))}&${doubled.search.slice(1)}`;
        expect((await fetch(doubled, { method: "PUT", body: "x" })).status, name).toBe(403);
      }
  });

  it("keeps the parts of an upload when it is reopened, and removes those of an abandoned one", async () => {
    const bytes = someBytes(PART + 1);
    const wanted = offered(bytes);
    const [, last] = (await served.store.planUpload(KEY, wanted)).parts;
    expect((await fetch(last!.url, { method: "PUT", body: bytes.subarray(PART) })).status).toBe(201);
    const again = await createFolderStore({
      folder: served.folder,
      baseUrl: () => served.server.url,
      secret: SECRET,
    });
    expect((await again.planUpload(KEY, wanted)).parts.map(({ number }) => number)).toEqual([1]);
    await again.remove(KEY);
    expect(await readdir(join(served.folder, "parts"))).toEqual([]);
  });

  it("removes parts that do not add up to the announced digest", async () => {
    const bytes = someBytes(PART + 1);
    const wanted = { ...offered(bytes), sha256: announced(textOf("other")).sha256 };
    for (const part of (await served.store.planUpload(KEY, wanted)).parts)
      await fetch(part.url, { method: "PUT", body: bytes.subarray(part.offset, part.offset + part.size) });
    await expect(served.store.finishUpload(KEY, wanted)).rejects.toMatchObject({ code: "digest_mismatch" });
    expect((await served.store.planUpload(KEY, wanted)).parts.length).toBe(2);
    expect(await readdir(join(served.folder, "parts"))).toEqual([]);
  });

  it("honors a range only of the object that the reader started with", async () => {
    await served.store.put(KEY, textOf("0123456789"));
    const url = await served.store.signGet(KEY, { seconds: 60 });
    const etag = (await fetch(url)).headers.get("etag")!;
    const ask = (validator: string) => fetch(url, { headers: { range: "bytes=5-", "if-range": validator } });
    expect((await ask(etag)).status).toBe(206);
    expect((await ask('"other"')).status).toBe(200);
  });

  /** Waits until there are so many incoming files. */
  async function hasArrived(count: number): Promise<void> {
    const arriving = join(served.folder, "arriving");
    const end = Date.now() + 5_000;
    while ((await readdir(arriving)).length !== count) {
      if (Date.now() > end) throw new Error(`there were never ${count} files arriving`);
      await new Promise((again) => setTimeout(again, 5));
    }
  }
});
