import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFolderStore } from "@crowdai/shared/objects";
import { expect, it, onTestFinished } from "vitest";
import { createUploads } from "./uploads.ts";

it("removes uploads that were not submitted within a day, including those of an earlier process", async () => {
  const folder = await mkdtemp(join(tmpdir(), "crowdai-uploads-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  let now = Date.parse("2026-01-01T00:00:00Z");
  const baseUrl = () => "http://localhost";
  const objects = await createFolderStore({ folder, baseUrl, secret: "s" });
  const open = () =>
    createUploads({
      ...{ objects, baseUrl, secret: "s", path: "/uploads" },
      maxBytes: () => 100,
      now: () => now,
    });
  const bytes = async function* () {
    yield Buffer.from("0.5");
  };

  const before = open();
  const first = before.presign(1);
  await before.take(new URL(first.presigned_url), bytes());
  const uploads = open();
  await uploads.sweep();
  now += 3600_000;
  const second = uploads.presign(1);
  await uploads.take(new URL(second.presigned_url), bytes());
  now += 23.5 * 3600_000;
  await uploads.sweep();
  await expect(uploads.find(1, first.s3_key)).rejects.toMatchObject({ code: "upload_missing" });
  expect(await uploads.find(1, second.s3_key)).toMatchObject({ size: 3 });
  now += 3600_000;
  await uploads.sweep();
  await expect(uploads.find(1, second.s3_key)).rejects.toMatchObject({ code: "upload_missing" });
});
