import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe } from "vitest";
import { startPostgres } from "../../../scripts/services/postgres.ts";
import { withoutService } from "../../../scripts/services/programs.ts";
import type { Service } from "../../../scripts/services/service.ts";
import { revokeKeys } from "../../src/participants/keys.ts";
import { webappContract } from "../../src/webapp/webapp.contract.ts";
import { startRemote } from "./stage.ts";

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

  webappContract("a webapp elsewhere", async (rounds) => {
    const [own, webapps] = [await emptyDatabase(), await emptyDatabase()];
    const { broker, webapp, close } = await startRemote({
      rounds,
      env: { DATABASE_URL: own },
      webappEnv: { DATABASE_URL: webapps },
    });
    return {
      broker,
      addParticipant: webapp.addParticipant,
      revoke: async (name) => {
        await revokeKeys(webapp.records, "participant", name, new Date().toISOString());
      },
      read: async (path) => (await webapp.ask("GET", path)).body,
      close,
    };
  });
});
