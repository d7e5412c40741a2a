import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { retryUntilReady } from "@crowdai/shared/retry-until-ready";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres } from "../../../scripts/services/postgres.ts";
import { withoutService } from "../../../scripts/services/programs.ts";
import type { Service } from "../../../scripts/services/service.ts";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { openPostgres } from "../../src/records/postgres.ts";

describe.skipIf(withoutService("postgres"))("records on PostgreSQL", () => {
  let folder: string;
  let postgres: Service;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "crowdai-postgres-"));
    postgres = await startPostgres({ folder });
  });
  afterAll(async () => {
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("are created once when several programs open them at the same time", async () => {
    const opened = await Promise.all(Array.from({ length: 4 }, () => openPostgres(postgres.url)));
    const tables = await opened[0]!.db.introspection.getTables();
    expect(tables.filter(({ name }) => name === "submissions")).toHaveLength(1);
    for (const records of opened) await records.close();
  });

  it("reject a transaction whose connection broke midway, and serve the next one", async () => {
    const records = await openPostgres(postgres.url);
    const other = await openPostgres(postgres.url);
    const broken = records.transaction(async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
      await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(other.db);
      // No query is under way while the connection breaks: only an event reports it.
      await new Promise((resolve) => setTimeout(resolve, 200));
      await trx.selectFrom("settings").selectAll().execute();
    });
    await expect(broken).rejects.toMatchObject({ code: "records_unreachable", retryable: true });
    expect(await records.db.selectFrom("submissions").selectAll().execute()).toEqual([]);
    await other.close();
    await records.close();
  });

  it("take over the locks of a broker that froze in a transaction", async () => {
    const [frozen, other] = await Promise.all([openPostgres(postgres.url), openPostgres(postgres.url)]);
    const [holds, thawed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const freezing = frozen.transaction(async (trx) => {
      await frozen.lock(trx, "a");
      holds.resolve();
      await thawed.promise;
      await trx.selectFrom("settings").selectAll().execute();
    });
    const refused = expect(freezing).rejects.toMatchObject({ code: "records_unreachable" });
    await holds.promise;
    const began = performance.now();
    await other.transaction((trx) => other.lock(trx, "a"));
    expect(performance.now() - began).toBeLessThan(allowedMs(12_000));
    thawed.resolve();
    await refused;
    await other.close();
    await frozen.close();
  });

  it("report an unreachable server, and work again once it is back", async () => {
    const records = await openPostgres(postgres.url);
    const ask = () => records.db.selectFrom("settings").selectAll().execute();
    await postgres.kill("SIGKILL");
    // The server's other processes may live on for a moment.
    await expect
      .poll(() => ask().catch((error) => error), { timeout: 10_000 })
      .toMatchObject({ code: "records_unreachable" });
    await expect(openPostgres(postgres.url)).rejects.toMatchObject({ code: "records_unreachable" });
    await postgres.restart();
    expect(await ask()).toEqual([]);
    await records.close();
  });

  it("are waited for by a broker that starts before them, but not when the database does not exist", async () => {
    await postgres.kill("SIGKILL");
    const stderr = new PassThrough();
    const opening = retryUntilReady(() => openPostgres(postgres.url), stderr);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await postgres.restart();
    await (await opening).close();
    stderr.end();
    expect((await text(stderr)).trim().split("\n")).toEqual([
      expect.stringMatching(/^PostgreSQL at 127\.0\.0\.1:\d+ cannot be reached\. Waiting for up to a minute/),
    ]);
    const elsewhere = postgres.url.replace(/[^/]*$/, "nothing");
    await expect(retryUntilReady(() => openPostgres(elsewhere), stderr)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining('database "nothing" does not exist'),
    });
  });
});
