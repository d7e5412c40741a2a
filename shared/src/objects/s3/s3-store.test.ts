import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { withoutService } from "../../../../scripts/services/programs.ts";
import { nameBucket } from "../../../../test/shared-services.ts";
import { objectStoreContract } from "../contract/object-store.contract.ts";
import { openBucket } from "./bucket.ts";
import { createS3Store } from "./s3-store.ts";

describe.skipIf(withoutService("swift"))("on OpenStack Swift", () => {
  it("reads objects of other programs in the bucket, under any key", async () => {
    const options = await nameBucket();
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
    const store = await createS3Store(await nameBucket());
    return { store, close: () => store.close() };
  });
});
