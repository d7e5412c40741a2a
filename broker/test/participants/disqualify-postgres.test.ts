import { afterAll, beforeAll, describe } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { disqualifyContract } from "./disqualify.contract.ts";

describe.skipIf(missing("postgres"))("on PostgreSQL", () => {
  let test: TestBroker;
  let env: Record<string, string>;
  beforeAll(async () => {
    env = { DATABASE_URL: await createDatabase() };
    test = await startBroker({ challenges: [{}, { id: "other" }], env });
  }, 300_000);
  afterAll(() => test.close());

  disqualifyContract(
    () => test,
    () => env,
  );
});
