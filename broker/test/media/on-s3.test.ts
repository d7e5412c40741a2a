import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Receipt } from "@crowdai/shared";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { bucketEnvironment, nameBucket } from "../../../test/shared-services.ts";
import { untilEnd } from "../support/test-broker.ts";
import { MEDIA_TIMEOUT, noise, type Stage, startStage } from "./media-broker.ts";

describe.skipIf(withoutService("swift"))("on an S3 store", MEDIA_TIMEOUT, () => {
  let folder: string;
  let endpoint: string;
  let stage: Stage;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-media-s3-"));
    const bucket = await nameBucket();
    endpoint = bucket.endpoint;
    stage = await startStage({ env: bucketEnvironment(bucket) });
  }, 150_000);
  afterAll(async () => {
    await stage?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it("media are processed, and served by the broker with ranges", async () => {
    const copy = join(folder, "plot.png");
    await noise(300, 200).png().toFile(copy);
    const graded = await stage.submit({ media: { copy, name: "plot.png" } });
    const { media } = await stage.settled(graded.id);
    const answer = await fetch(media!.large);
    expect(answer.headers.get("content-type")).toBe("image/png");
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 300, height: 200 });
    const part = await fetch(media!.large, { headers: { range: "bytes=10-19" } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(10, 20));
  });

  it("a model is uploaded in parts directly to the store, and downloaded from it", async () => {
    const bytes = randomBytes(6 * 1024 * 1024);
    const size = 5 * 1024 * 1024;
    const hex = (algorithm: string, of: Buffer) => createHash(algorithm).update(of).digest("hex");
    const md5 = [hex("md5", bytes.subarray(0, size)), hex("md5", bytes.subarray(size))];
    const model = { name: "m.bin", size: bytes.length, sha256: hex("sha256", bytes), parts: { size, md5 } };
    const input = { kind: "inline" as const, data: {} };
    const { submission, models } = await stage.client.submit({ input, models: [model] });
    for (const { url, offset, size: length, headers } of models[0]!.upload!.parts) {
      expect(new URL(url).origin).toBe(endpoint);
      const body = bytes.subarray(offset, offset + length);
      expect((await fetch(url, { method: "PUT", headers, body })).ok).toBe(true);
    }
    await stage.client.ask<Receipt>("complete", { id: submission.id });
    await untilEnd(stage.client, submission.id);
    const { artifacts } = await stage.read(submission.id);
    const headers = { authorization: `Bearer ${stage.key}` };
    const answer = await fetch(artifacts[0]!.url!, { headers });
    expect(answer.headers.get("content-disposition")).toContain("attachment");
    expect(hex("sha256", Buffer.from(await answer.arrayBuffer()))).toBe(model.sha256);
  });
});
