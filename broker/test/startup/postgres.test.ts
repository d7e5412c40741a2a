import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { retryUntilReady } from "@crowdai/shared/retry-until-ready";
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres } from "../../../scripts/services/postgres.ts";
import { withoutService } from "../../../scripts/services/programs.ts";
import type { Service } from "../../../scripts/services/service.ts";
import { allowedMs } from "../../../test/allowed-ms.ts";
import { openPostgres } from "../../src/records/postgres.ts";
import { migrator, type Records } from "../../src/records/records.ts";
import { statement } from "../../src/records/statement.ts";
import type { Tables } from "../../src/records/tables.ts";

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

  it("are migrated while an older broker reads them, and its transaction is not ended", async () => {
    const admin = await openPostgres(postgres.url);
    await sql`create database rolling`.execute(admin.db);
    await admin.close();
    const url = postgres.url.replace(/[^/]*$/, "rolling");
    const pool = new pg.Pool({ connectionString: url });
    pool.on("error", () => {});
    const older = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    expect((await migrator(older, "postgres").migrateTo("015-final-scores")).error).toBeUndefined();
    const waiting = async () =>
      (await sql`select 1 from pg_locks where not granted and relation is not null`.execute(older)).rows;
    let newer: Promise<Records> | undefined;
    await older.transaction().execute(async (trx) => {
      await sql`select id from submissions`.execute(trx);
      newer = openPostgres(url);
      // It has changed api_keys, and waits for submissions.
      await expect.poll(waiting, { timeout: 30_000 }).toHaveLength(1);
      await sql`select hash from api_keys`.execute(trx);
    });
    await (await newer!).close();
    const { rows } = await sql`select 1 from kysely_migration where name = '016-people'`.execute(older);
    expect(rows).toHaveLength(1);
    await older.destroy();
  });

  it("prepare a statement that comes again once for each connection, unless a new column would break it", async () => {
    const versions = statement((db, { round }: { round: string }) =>
      db.selectFrom("board_rounds").select(["challenge", "version"]).where("round", "=", round),
    );
    const whole = statement((db, { round }: { round: string }) =>
      db.selectFrom("board_rounds").selectAll().where("round", "=", round),
    );
    const records = await openPostgres(postgres.url);
    const row = { challenge: "a", round: "1", version: 3 };
    await records.db.insertInto("board_rounds").values(row).execute();
    await records.db.connection().execute(async (one) => {
      const ask = async () => [
        ...(await versions(one, { round: "1" })),
        ...(await whole(one, { round: "1" })),
      ];
      expect(await ask()).toMatchObject([{ challenge: "a", version: 3 }, row]);
      expect(await versions(one, { round: "2" })).toEqual([]);
      const prepared = sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(one);
      expect((await prepared).rows).toEqual([
        { statement: 'select "challenge", "version" from "board_rounds" where "round" = $1' },
      ]);
      await sql`alter table board_rounds add column newer integer default 7`.execute(one);
      expect(await ask()).toMatchObject([
        { challenge: "a", version: 3 },
        { ...row, newer: 7 },
      ]);
    });
    await sql`alter table board_rounds drop column newer`.execute(records.db);
    await records.close();
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
