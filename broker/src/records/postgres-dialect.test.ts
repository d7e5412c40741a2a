import { CrowdaiError } from "@crowdai/shared";
import { Kysely, type PostgresPool, sql } from "kysely";
import { expect, it } from "vitest";
import { ErrorMappingPostgresDialect } from "./postgres-dialect.ts";
import type { Db } from "./records.ts";
import { statement } from "./statement.ts";

/** Errors as the driver throws them. */
const failure = (code: string | undefined, message = "why") => Object.assign(new Error(message), { code });

/** Runs a statement with a driver whose connections, or whose queries, fail. */
async function run(fails: { connecting?: unknown; querying?: unknown }): Promise<unknown> {
  const client = {
    query: async () => {
      if (fails.querying) throw fails.querying;
      return { command: "SELECT", rowCount: 1, rows: [{ one: 1 }] };
    },
    release: () => {},
  };
  const pool = {
    connect: async () => {
      if (fails.connecting) throw fails.connecting;
      return client;
    },
    end: async () => {},
  } as unknown as PostgresPool;
  const db = new Kysely({ dialect: new ErrorMappingPostgresDialect({ pool }) });
  const ask = async () => (await sql`select 1 as one`.execute(db)).rows;
  // The second time, the connection is known.
  await ask().catch(() => {});
  return ask().catch((error) => error);
}

it("rows pass unchanged", async () => {
  expect(await run({})).toEqual([{ one: 1 }]);
});

it.each([
  failure("ECONNREFUSED"),
  failure("ENOTFOUND"),
  failure("08006"),
  failure("57P01"),
  failure("53300"),
  failure("25P03"),
  failure(undefined, "Connection terminated unexpectedly"),
  failure(undefined, "timeout exceeded when trying to connect"),
  failure(undefined, "Client was closed and is not queryable"),
  failure(undefined, "Client has encountered a connection error and is not queryable"),
])("an unreachable server may answer the same request later: %o", async (error) => {
  for (const fails of [{ connecting: error }, { querying: error }]) {
    const found = await run(fails);
    expect(found).toMatchObject({ code: "records_unreachable", retryable: true, cause: error });
  }
});

it.each([
  ["22003", "a number that is out of range"],
  ["22021", "text with a null byte"],
  ["22P05", "text with a null byte"],
])("a value that cannot be stored (%s) is reported to its sender", async (code, what) => {
  const error = failure(code);
  const found = await run({ querying: error });
  expect(found).toBeInstanceOf(CrowdaiError);
  expect(found).toMatchObject({
    ...{ code: "usage", message: `The request contains ${what}.`, next: "Correct it.", cause: error },
  });
});

it.each([
  failure("23505"),
  failure("40001"),
  failure("10800"),
  failure("153300"),
  failure(undefined, "No Connection terminated"),
  failure(undefined),
  { name: "an error without a message" },
])("another error stays as it is: %o", async (error) => {
  expect(await run({ querying: error })).toBe(error);
});

it("a connection that was used before is the same as it was", async () => {
  const client = { query: async () => ({ command: "SELECT", rows: [] }), release: () => {} };
  const pool = { connect: async () => client, end: async () => {} } as unknown as PostgresPool;
  const driver = new ErrorMappingPostgresDialect({ pool }).createDriver();
  await driver.init();
  const first = await driver.acquireConnection();
  const { executeQuery } = first;
  await driver.releaseConnection(first);
  expect((await driver.acquireConnection()).executeQuery).toBe(executeQuery);
});

it("a query is asked once, also on a connection that was used before", async () => {
  let asked = 0;
  const client = { query: async () => ({ command: "SELECT", rows: [++asked] }), release: () => {} };
  const pool = { connect: async () => client, end: async () => {} } as unknown as PostgresPool;
  const db = new Kysely({ dialect: new ErrorMappingPostgresDialect({ pool }) });
  for (let i = 1; i <= 3; i++) expect((await sql`select 1`.execute(db)).rows).toEqual([i]);
});

it("a statement that comes again needs no names", async () => {
  const client = { query: async () => ({ command: "SELECT", rows: [{ one: 1 }] }), release: () => {} };
  const pool = { connect: async () => client, end: async () => {} } as unknown as PostgresPool;
  const db: Db = new Kysely({ dialect: new ErrorMappingPostgresDialect({ pool }) });
  const ask = statement((at, _: object) => at.selectNoFrom(sql<number>`1`.as("one")));
  expect(await ask(db, {})).toEqual([{ one: 1 }]);
});
