import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { invite } from "../../src/domain/participants/invitations.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { profilesContract } from "./profiles.contract.ts";

const DATABASES = [
  { name: "SQLite", env: async () => ({}), skipped: false },
  {
    name: "PostgreSQL",
    env: async () => ({ DATABASE_URL: await createDatabase() }),
    skipped: missing("postgres"),
  },
];

describe.each(DATABASES.filter(({ skipped }) => !skipped))("profiles in $name", ({ env }) => {
  let test: TestBroker;
  let settings: Record<string, string>;
  beforeAll(async () => {
    settings = await env();
    test = await startBroker({
      challenges: [
        {},
        { id: "closed", visibility: { private: true } },
        { id: "named", visibility: { private: true, profiles: true } },
      ],
      env: { PATH: process.env.PATH ?? "", ...settings },
      intervals: { pictures: 200 },
    });
    await invite(test.records, "ada", ["closed", "named"], new Date().toISOString());
  }, 300_000);
  afterAll(() => test?.close());

  profilesContract(
    () => test,
    () => storedPictures(`${test.folder}/data`),
    () => settings,
  );
});

/** Lists the pictures of the folder store by their metadata: a stored object is two files. Throws when bytes were left behind. */
async function storedPictures(data: string): Promise<string[]> {
  const files = (await readdir(data, { recursive: true })).flatMap(
    (name) => /profiles\/.+@.+$/.exec(name) ?? [],
  );
  const keys = (kind: string) =>
    files.filter((name) => name.endsWith(kind)).map((name) => name.replace(kind, ""));
  expect(keys("@bytes")).toEqual(keys("@proof"));
  return keys("@proof");
}
