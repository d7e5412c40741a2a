import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import type { Service } from "../../../../scripts/services/service.ts";
import {
  SWIFT_ACCESS_KEY,
  SWIFT_REGION,
  SWIFT_SECRET_KEY,
  startSwift,
} from "../../../../scripts/services/swift.ts";
import { objectStoreContract } from "../contract/object-store.contract.ts";
import { openBucket } from "./bucket.ts";
import { createS3Store, type S3StoreOptions } from "./s3-store.ts";

describe.skipIf(withoutService("swift"))("on OpenStack Swift", () => {
  let folder: string;
  let swift: Service;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-swift-"));
    swift = await startSwift({ folder });
  });
  afterAll(async () => {
    await swift.stop();
    await rm(folder, { recursive: true });
  });

  const settings = (changes: Partial<S3StoreOptions> = {}): S3StoreOptions => ({
    endpoint: swift.url,
    bucket: `test-${randomBytes(6).toString("hex")}`,
    region: SWIFT_REGION,
    accessKeyId: SWIFT_ACCESS_KEY,
    secretAccessKey: SWIFT_SECRET_KEY,
    ...changes,
  });

  it("reads what another program put into the bucket, whatever that called it", async () => {
    const options = settings();
    const store = await createS3Store(options);
    const { sdk, client, name } = await openBucket(options);
    for (const key of ["theirs/1_my predictions (final), +ü&?.csv", "theirs/a..b"]) {
      await client.send(new sdk.PutObjectCommand({ Bucket: name, Key: key, Body: key }));
      expect(await store.stat(key)).toEqual({ size: Buffer.byteLength(key), sha256: "" });
      expect(await text(await store.get(key))).toBe(key);
    }
    for (const key of ["", "/theirs", "theirs/../ours", "theirs/./x", "..", "theirs/..", "a//b", "a\nb"]) {
      await expect(store.stat(key)).rejects.toMatchObject({ code: "object_missing" });
      await expect(store.get(key)).rejects.toMatchObject({ code: "object_missing" });
    }
    await expect(store.put("a key", Buffer.from("x"))).rejects.toMatchObject({ code: "object_missing" });
    client.destroy();
    await store.close();
  });

  objectStoreContract("the S3 store", async () => {
    const store = await createS3Store(settings());
    return { store, close: () => store.close() };
  });
});
