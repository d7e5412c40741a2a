import { afterAll, beforeAll, describe } from "vitest";
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
    () => settings,
  );
});
