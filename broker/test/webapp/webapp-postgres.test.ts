import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres } from "../../../scripts/services/postgres.ts";
import { withoutService } from "../../../scripts/services/programs.ts";
import type { Service } from "../../../scripts/services/service.ts";
import { webappContract } from "../../src/background/webapp/webapp.contract.ts";
import { rebuildStandings } from "../../src/domain/leaderboard/rebuild-standings.ts";
import { invite, listInvitations, uninvite } from "../../src/domain/participants/invitations.ts";
import { markBaseline } from "../../src/domain/submissions/mark-baseline.ts";
import { startBroker, untilEnd } from "../support/test-broker.ts";
import { startRemote, underTest } from "./webapp-proxy.ts";

describe.skipIf(withoutService("postgres"))("with records on PostgreSQL", () => {
  let folder: string;
  let postgres: Service;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-webapp-"));
    postgres = await startPostgres({ folder });
  });
  afterAll(async () => {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function emptyDatabase(): Promise<string> {
    const name = `test_${randomUUID().replaceAll("-", "")}`;
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(`create database ${name}`);
    await client.end();
    const url = new URL(postgres.url);
    url.pathname = name;
    return url.href;
  }

  it("baselines and invitations are the same", async () => {
    const test = await startBroker({
      challenges: [{ visibility: { private: true } }],
      env: { DATABASE_URL: await emptyDatabase() },
    });
    const now = new Date().toISOString();
    expect(await invite(test.records, "ada", ["test", "test", "other"], now)).toBe(2);
    expect(await invite(test.records, "Ada", ["test"], now)).toBe(0);
    expect(await uninvite(test.records, "ada", ["other", "nothing"])).toBe(1);
    expect(await listInvitations(test.records.db)).toMatchObject([{ challenge: "test", participant: "ada" }]);

    const client = await test.connect();
    const submit = async (score: number) => {
      const { submission } = await client.submit({ input: { kind: "inline", data: { score } } });
      await untilEnd(client, submission.id);
      return submission.id;
    };
    const [best] = [await submit(0.9), await submit(0.5)];
    const standings = async () =>
      (await test.records.db.selectFrom("standings").select("sort_primary").execute()).map(
        (row) => -row.sort_primary,
      );
    expect(await standings()).toEqual([0.9, 0.9]);
    expect(await markBaseline(test.records, best, { comment: "ours" })).toMatchObject({
      baseline: 1,
      baseline_comment: "ours",
      rank: null,
    });
    expect(await standings()).toEqual([0.5, 0.5]);
    await test.records.transaction((trx) => rebuildStandings(trx, "test"));
    expect(await standings()).toEqual([0.5, 0.5]);
    await test.close();
  });

  webappContract("a webapp elsewhere", async (rounds) => {
    const [own, webapps] = [await emptyDatabase(), await emptyDatabase()];
    const databases = { env: { DATABASE_URL: own }, webappEnv: { DATABASE_URL: webapps } };
    return underTest(await startRemote({ rounds, ...databases }));
  });
});
