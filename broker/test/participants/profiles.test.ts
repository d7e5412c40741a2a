import { readdir } from "node:fs/promises";
import { createS3Store } from "@crowdai/shared/objects/s3";
import { afterAll, beforeAll, describe } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { missing } from "../../../test/required-programs.ts";
import { bucketEnvironment, createDatabase, nameBucket } from "../../../test/shared-services.ts";
import { invite } from "../../src/domain/participants/invitations.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { profilesContract } from "./profiles.contract.ts";

const PLACES = [
  {
    name: "SQLite and a folder",
    skipped: false,
    open: async () => ({ env: {}, list: (test: TestBroker) => storedPictures(`${test.folder}/data`) }),
  },
  {
    name: "PostgreSQL and S3",
    skipped: missing("postgres") || withoutService("swift"),
    open: async () => {
      const bucket = await nameBucket();
      const env = { DATABASE_URL: await createDatabase(), ...bucketEnvironment(bucket) };
      return { env, list: () => keysIn(bucket) };
    },
  },
];

describe.each(PLACES.filter(({ skipped }) => !skipped))("profiles in $name", ({ open }) => {
  let test: TestBroker;
  let place: Awaited<ReturnType<typeof open>>;
  beforeAll(async () => {
    place = await open();
    test = await startBroker({
      challenges: [
        {},
        { id: "closed", visibility: { private: true } },
        { id: "named", visibility: { private: true, profiles: true } },
      ],
      env: { PATH: process.env.PATH ?? "", ...place.env },
      intervals: { pictures: 200 },
    });
    await invite(test.records, "ada", ["closed", "named"], new Date().toISOString());
  }, 300_000);
  afterAll(() => test?.close());

  profilesContract(
    () => test,
    () => place.list(test),
    () => place.env as Record<string, string>,
  );
});

async function keysIn(bucket: Awaited<ReturnType<typeof nameBucket>>): Promise<string[]> {
  const store = await createS3Store(bucket);
  const keys: string[] = [];
  for await (const key of store.list("profiles/")) keys.push(key);
  await store.close();
  return keys;
}

/**
 * Lists the pictures of which the folder store has anything: an object is two files, removed one after the
 * other.
 */
async function storedPictures(data: string): Promise<string[]> {
  const files = await readdir(data, { recursive: true });
  return [...new Set(files.flatMap((name) => /profiles\/[^@]+(?=@)/.exec(name) ?? []))];
}
