import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { announced, collect, textOf } from "./contract/bytes.ts";
import { createFolderStore, type FolderStore } from "./folder-store.ts";
import { handleObjectRequest } from "./object-request.ts";

describe("a folder that other programs wrote into", () => {
  let root: string;
  let store: FolderStore;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "crowdai-objects-"));
    store = await createFolderStore({
      folder: join(root, "objects"),
      baseUrl: () => "http://x",
      secret: "s",
    });
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it("reads and removes nothing behind a planted link", async () => {
    const outside = join(root, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "k@bytes"), "secret");
    await writeFile(join(outside, "k@proof"), JSON.stringify(announced(textOf("secret"))));
    await symlink(outside, join(root, "objects/stored/evil"));

    const refused = { code: "store_unreachable" };
    await expect(store.stat("evil/k")).rejects.toMatchObject(refused);
    await expect(store.get("evil/k")).rejects.toMatchObject(refused);
    await expect(store.remove("evil/k")).rejects.toMatchObject(refused);
    await expect(store.finishUpload("evil/k", announced(textOf("secret")))).rejects.toMatchObject(refused);
    expect((await readdir(outside)).sort()).toEqual(["k@bytes", "k@proof"]);
  });

  it("never returns a truncated object as complete", async () => {
    await store.put("a/b", textOf("0123456789"));
    await writeFile(join(root, "objects/stored/a/b@bytes"), "01234");
    await expect(store.get("a/b").then(collect)).rejects.toMatchObject({ code: "store_unreachable" });
    await expect(store.get("a/b", { start: 4, end: 6 }).then(collect)).rejects.toThrow();
    expect(await collect(await store.get("a/b", { start: 1, end: 3 }))).toEqual(textOf("123"));
  });

  it.each(["text/html\r\nx: y", "no type", "text/plain; charset=utf-8; x=y", ""])(
    "responds with plain bytes when the requested type is %j",
    async (type) => {
      await store.put("a", textOf("x"));
      const url = await store.signGet("a", { seconds: 60, type });
      const answer = await handleObjectRequest(store, new Request(url));
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/octet-stream"]);
    },
  );
});
