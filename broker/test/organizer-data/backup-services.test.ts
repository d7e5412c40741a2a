import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createS3Store } from "@crowdai/shared/objects/s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openBucket } from "../../../shared/src/objects/s3/bucket.ts";
import { bucketEnvironment, createDatabase, nameBucket } from "../../../test/shared-services.ts";
import { connection } from "../../src/commands/backup/postgres-programs.ts";
import { addParticipant } from "../../src/domain/participants/api-keys.ts";
import { openPostgres } from "../../src/records/postgres.ts";
import { runCommand } from "../support/run-command.ts";

const IMAGE = "image/large-0123456789abcdef0123456789abcdef.webp";

async function typeOf(store: Parameters<typeof openBucket>[0], Key: string): Promise<string | undefined> {
  const { sdk, client, name: Bucket } = await openBucket(store);
  const { ContentType } = await client.send(new sdk.HeadObjectCommand({ Bucket, Key }));
  client.destroy();
  return ContentType;
}

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "crowdai-backup-"));
});
afterAll(() => rm(cwd, { recursive: true }));

it("restores PostgreSQL and S3 to an empty database and bucket, and to no other", async () => {
  const [from, to] = [await createDatabase(), await createDatabase()];
  const [bucket, empty] = [await nameBucket(), await nameBucket()];
  const env = (url: string, store: typeof bucket) => ({ DATABASE_URL: url, ...bucketEnvironment(store) });
  const records = await openPostgres(from);
  await addParticipant(records, "ada", new Date().toISOString());
  await records.close();
  const stored = await createS3Store(bucket);
  await stored.put("submissions/a/b/input", Buffer.alloc(6_000_000, 7));
  await stored.put(IMAGE, Buffer.from("image"), { type: "image/webp" });
  expect(await runCommand(cwd, ["backup", "made"], { env: env(from, bucket) })).toMatchObject({ code: 0 });

  const refused = await runCommand(cwd, ["restore", "made"], { env: env(to, bucket) });
  expect(refused.stderr).toMatch(/already has (submissions|image)\//);
  const restored = await runCommand(cwd, ["restore", "made"], { env: env(to, empty) });
  expect(restored).toMatchObject({ code: 0, stdout: expect.stringContaining("PostgreSQL") });
  const again = await runCommand(cwd, ["restore", "made", "--data", "x"], { env: env(to, empty) });
  expect(again.stderr).toContain("DATABASE_URL is not empty");

  const copy = await openPostgres(to);
  expect(await copy.db.selectFrom("participants").select("name").execute()).toEqual([{ name: "ada" }]);
  await copy.close();
  const objects = await createS3Store(empty);
  expect(await objects.stat("submissions/a/b/input")).toEqual(await stored.stat("submissions/a/b/input"));
  expect(await typeOf(empty, IMAGE)).toBe("image/webp");
  await Promise.all([stored.close(), objects.close()]);
});

it("names no password on the command line of PostgreSQL's programs", () => {
  expect(connection("postgres://me:p%40ss@host:5433/db?sslmode=require&max=3")).toEqual({
    address: "postgres://me@host:5433/db?sslmode=require",
    password: "p@ss",
  });
});
