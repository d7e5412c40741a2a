import { hashApiKey } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withoutService } from "../../../scripts/services/programs.ts";
import { type CiIssuer, startCiIssuer } from "../../../test/ci-issuer.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { endedCiSessions, identifyCiSession } from "../../src/domain/ci/ci-sessions.ts";
import { openPostgres } from "../../src/records/postgres.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

describe.skipIf(withoutService("postgres"))("sessions of CI jobs on PostgreSQL", () => {
  let issuer: CiIssuer;
  let test: TestBroker;
  let database: string;
  beforeAll(async () => {
    issuer = await startCiIssuer();
    database = await createDatabase();
    test = await startBroker({
      withGrader: false,
      env: { DATABASE_URL: database, CI_ISSUERS: `github=${issuer.url}`, CI_LOOPBACK_ISSUERS: "on" },
    });
  });
  afterAll(async () => {
    await test?.close();
    await issuer?.[Symbol.asyncDispose]();
  });

  const post = async (path: string, body: unknown) => {
    const response = await test.fetch(`/api/v1/ci${path}`, { method: "POST", body });
    return { status: response.status, ...((await response.json()) as { key: string }) };
  };

  it("are opened once for a token sent many times at once, and known to every broker of the database", async () => {
    await post("/trusts", { subject: "github:octo/iris@main" });
    const token = await issuer.sign(test.broker.url);
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => post("/token", { token })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401]);
    const hash = hashApiKey(answers.find(({ status }) => status === 200)!.key);

    const other = await openPostgres(database);
    try {
      const now = new Date();
      expect(await identifyCiSession(other.db, hash, now)).toMatchObject({ name: "ada" });
      expect(await endedCiSessions(other.db, new Date(now.getTime() - 60_000), now)).toEqual([]);
      await post("/trusts/withdraw", { subject: "github:octo/iris@main" });
      await expect(identifyCiSession(other.db, hash, now)).rejects.toMatchObject({ code: "session_ended" });
      expect(await endedCiSessions(other.db, new Date(now.getTime() - 60_000), now)).toEqual([hash]);
    } finally {
      await other.close();
    }
  });
});
