import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { announced, KEY, textOf } from "./contract/bytes.ts";
import { createFolderStore, type FolderStore } from "./folder-store.ts";
import { handleObjectRequest } from "./object-request.ts";
import { type SignedRequest, signUrl } from "./signed-url.ts";

const URL_BASE = "http://broker.example";
const bytes = textOf("12345");

describe("a signed PUT", () => {
  let folder: string;
  let store: FolderStore;
  let pulled: number;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-objects-"));
    store = await createFolderStore({ folder, baseUrl: () => URL_BASE, secret: "s" });
    pulled = 0;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const put = async (signed: Partial<SignedRequest>, headers: Record<string, string> = {}) => {
    const expires = Math.floor(Date.now() / 1000) + 60;
    const body = new ReadableStream(
      {
        pull(controller) {
          pulled++;
          controller.enqueue(bytes);
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const answer = await handleObjectRequest(
      store,
      new Request(signUrl(URL_BASE, "s", { method: "PUT", key: KEY, expires, ...signed }), {
        method: "PUT",
        headers,
        body,
        duplex: "half",
      } as RequestInit),
    );
    const text = await answer.text();
    return [answer.status, text === "" ? null : JSON.parse(text).error.code];
  };

  it("stores exactly what it announces", async () => {
    expect(await put(announced(bytes))).toEqual([201, null]);
    expect(await store.stat(KEY)).toEqual(announced(bytes));
    expect(await put(announced(bytes))).toEqual([200, null]);
  });

  it.each([
    ["size", { sha256: announced(bytes).sha256 }],
    ["digest", { size: bytes.length }],
    ["digest of a part", { size: bytes.length, part: 1 }],
  ])("without a %s is refused, and nothing is read", async (_, signed) => {
    expect(await put(signed)).toEqual([403, "signature_invalid"]);
    expect(pulled).toBe(0);
  });

  it("whose body is declared longer is refused, and nothing is read", async () => {
    expect(await put(announced(bytes), { "content-length": "6" })).toEqual([422, "digest_mismatch"]);
    expect(pulled).toBe(0);
  });

  it("over an object of other bytes is refused, and nothing is read", async () => {
    await store.put(KEY, textOf("other"));
    expect(await put(announced(bytes))).toEqual([409, "object_exists"]);
    expect(pulled).toBe(0);
  });
});
