import { setTimeout as sleep } from "node:timers/promises";
import { CrowdaiError } from "@crowdai/shared";
import { sql } from "kysely";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import {
  type Answer,
  type Asked,
  serverError,
  startScriptedPostgres,
} from "../../test/support/scripted-postgres.ts";
import { until } from "../../test/support/until.ts";
import { openPostgres } from "./postgres.ts";
import { statement } from "./statement.ts";

const setting = { name: "a", value: "x" };

async function open() {
  const server = await startScriptedPostgres();
  const records = await openPostgres(server.url);
  onTestFinished(() => records.close());
  return { server, records };
}

/** Fails statements that contain `part`, with one code after another; later ones succeed. */
const failing = (part: string, codes: readonly string[], message?: string): Answer => {
  const left = [...codes];
  return ({ text }: Asked) => {
    if (text.includes(part) && left.length > 0) throw serverError(left.shift()!, message);
    return undefined;
  };
};

/** Opens and fails, with the error and how many connections are left open. */
async function openingFails(prepare: (server: Awaited<ReturnType<typeof startScriptedPostgres>>) => void) {
  const server = await startScriptedPostgres();
  prepare(server);
  const error = await openPostgres(server.url).then(
    () => undefined,
    (error) => error,
  );
  await until(async () => server.open() === 0);
  return { server, error };
}

/** Errors that nothing handled, which would end the process. */
function unhandled(): unknown[] {
  const errors: unknown[] = [];
  const note = (error: unknown) => void errors.push(error);
  process.on("uncaughtException", note);
  onTestFinished(() => void process.off("uncaughtException", note));
  return errors;
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a start on PostgreSQL", () => {
  it("migrates on a connection that waits only briefly for locks, and then no longer", async () => {
    const { server, records } = await open();
    expect(records).toMatchObject({
      name: "PostgreSQL (127.0.0.1/contest)",
      dialect: "postgres",
    });
    const texts = server.texts();
    expect(texts.slice(0, 3)).toEqual([
      "set idle_in_transaction_session_timeout = '5s'",
      "set jit = off",
      "set lock_timeout = '500ms'",
    ]);
    expect(texts.at(-1)).toBe("reset lock_timeout");
    expect(texts.indexOf("commit")).toBeGreaterThan(3);
    expect(new Set(server.asked.map(({ connection }) => connection))).toEqual(new Set([1]));
  });

  it("goes to the server that parameters of the URL name, and shows that one", async () => {
    const server = await startScriptedPostgres();
    const url = `postgres:///contest?user=ada&host=127.0.0.1&port=${server.port}`;
    const records = await openPostgres(url);
    expect(records.name).toBe("PostgreSQL (127.0.0.1/contest)");
    await records.close();
    server.refuse("57P03");
    await expect(openPostgres(url)).rejects.toMatchObject({
      message: `PostgreSQL at 127.0.0.1:${server.port} cannot be reached.`,
    });
  });

  it("does without a setting that the server does not have, but not without the end of idle transactions", async () => {
    const server = await startScriptedPostgres();
    server.answer(failing("jit", ["42704"]));
    await (await openPostgres(server.url)).close();
    server.answer(failing("idle_in_transaction", ["42704"]));
    await expect(openPostgres(server.url)).rejects.toMatchObject({ code: "42704" });
  });

  it.each(["55P03", "40P01"])("waits for others that hold locks (%s)", async (code) => {
    const server = await startScriptedPostgres();
    server.answer(failing("kysely_migration_lock", [code, code]));
    const began = performance.now();
    await (await openPostgres(server.url)).close();
    // It leaves them time.
    expect(performance.now() - began).toBeGreaterThan(380);
    expect(server.texts("set lock_timeout = '500ms'")).toHaveLength(3);
    expect(server.texts("reset lock_timeout")).toHaveLength(1);
  });

  it("ends when they hold them for more than a minute", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const start = Date.now();
    const times = [0, 60_000, 60_001];
    const { server, error } = await openingFails(({ answer }) =>
      answer(({ text }) => {
        if (!text.includes("kysely_migration_lock")) return undefined;
        vi.setSystemTime(start + times.shift()!);
        throw serverError("55P03");
      }),
    );
    expect(error).toMatchObject({
      code: "records_unreachable",
      message: "Another transaction keeps the tables of the records locked.",
      next: "Wait until it has ended, for example a backup with pg_dump, and start the broker again.",
      cause: { code: "55P03" },
    });
    expect(server.texts("set lock_timeout")).toHaveLength(3);
  });

  it("says which server cannot be reached, and leaves no connection open", async () => {
    const { server, error } = await openingFails(({ refuse }) => refuse("57P03"));
    expect(error).toMatchObject({
      code: "records_unreachable",
      message: `PostgreSQL at 127.0.0.1:${server.port} cannot be reached.`,
      next: "Start it, or correct DATABASE_URL.",
      cause: { code: "records_unreachable", cause: { code: "57P03" } },
    });
  });

  it.each(["28P01", "3D000"])("says why the server refused the connection (%s)", async (code) => {
    const { server, error } = await openingFails(({ refuse }) => refuse(code));
    expect(error).toMatchObject({
      code: "usage",
      message: `PostgreSQL at 127.0.0.1:${server.port} refused the connection: why.`,
      next: "Correct the user, the password and the database in DATABASE_URL.",
      cause: { code },
    });
  });

  it.each(["42501", "53D00"])("reports another error as it is (%s)", async (code) => {
    const { server, error } = await openingFails(({ answer }) => answer(failing("pg_attribute", [code])));
    expect(error).toMatchObject({ code, message: "why" });
    expect(error).not.toBeInstanceOf(CrowdaiError);
    expect(server.texts("set lock_timeout")).toHaveLength(1);
  });

  it("reports that the records are those of a newer version", async () => {
    const { error } = await openingFails(({ answer }) =>
      answer(({ text }) =>
        /from "?kysely_migration\b(?!_)/.test(text)
          ? [{ name: "999-later", timestamp: "2100-01-01T00:00:00.000Z" }]
          : undefined,
      ),
    );
    expect(error).toMatchObject({
      code: "usage",
      message: "The records were written by a newer version of the broker.",
    });
  });
});

describe("records on a PostgreSQL server", () => {
  it("have numbers of 64 bits as numbers, and other values as the driver reads them", async () => {
    const { server, records } = await open();
    const row = { big: 5_000_000_000n, small: 3, text: "7", none: null };
    server.answer(({ text }) => (text.includes("values of all kinds") ? [row] : undefined));
    const { rows } = await sql`select 'values of all kinds'`.execute(records.db);
    expect(rows).toEqual([{ big: 5_000_000_000, small: 3, text: "7", none: null }]);
  });

  it("have the state of what can be seen and of the server's start", async () => {
    const { server, records } = await open();
    const state = "10:20:10 1700000000.5";
    server.answer(({ text }) => (text.includes("pg_current_snapshot") ? [{ state }] : undefined));
    expect(await records.state()).toBe(state);
    expect(server.texts("pg_current_snapshot")).toEqual([
      `select pg_current_snapshot()::text || ' ' || extract(epoch from pg_postmaster_start_time()) as "state"`,
    ]);
  });

  it("lock names and submissions until the transaction ends", async () => {
    const { server, records } = await open();
    server.answer(({ text, values }) =>
      text.includes('from "submissions"') && values[0] === "s-1" ? [{ id: "s-1", number: 9n }] : undefined,
    );
    const before = server.asked.length;
    await records.transaction(async (trx) => {
      await records.lock(trx, "board");
      await records.lockShared(trx, "iris");
      expect(await records.lockSubmission(trx, "s-1")).toEqual({ id: "s-1", number: 9 });
      expect(await records.lockSubmission(trx, "s-2")).toBeUndefined();
    });
    const asked = server.asked.slice(before).map(({ text, values }) => [text, ...values]);
    expect(asked).toEqual([
      ["begin"],
      ['select pg_advisory_xact_lock(hashtextextended($1, 0)) as "locked"', "board"],
      ['select pg_advisory_xact_lock_shared(hashtextextended($1, 0)) as "locked"', "iris"],
      [expect.stringMatching(/^select "number", .* from "submissions" where "id" = \$1 for update$/), "s-1"],
      [expect.stringContaining("for update"), "s-2"],
      ["commit"],
    ]);
  });

  it("prepare statements that come again, on each connection", async () => {
    const { server, records } = await open();
    const find = statement((db, { name }: { name: string }) =>
      db.selectFrom("settings").select("value").where("name", "=", name),
    );
    await find(records.db, { name: "a" });
    await records.transaction(async (trx) => {
      await find(trx, { name: "b" });
      await find(records.db, { name: "c" });
    });
    const asked = server.asked.filter(({ text }) => text.includes('from "settings"'));
    expect(asked.map(({ connection, values, name }) => [connection, ...values, name])).toEqual([
      [1, "a", "s0"],
      [1, "b", "s0"],
      [2, "c", "s0"],
    ]);
  });

  it("try a transaction again that others were in the way of, up to five times", async () => {
    const { server, records } = await open();
    const write = vi.fn(() =>
      records.transaction(async (trx) => {
        await trx.insertInto("settings").values(setting).execute();
        return "written";
      }),
    );
    server.answer(failing("insert", ["40001", "40P01", "40001", "40P01"]));
    expect(await write()).toBe("written");
    expect(server.texts("rollback")).toHaveLength(4);
    server.answer(failing("insert", Array(5).fill("40001")));
    await expect(write()).rejects.toMatchObject({ code: "40001" });
    expect(server.texts("rollback")).toHaveLength(9);
  });

  it("try a transaction that failed for another reason only once", async () => {
    const { server, records } = await open();
    server.answer(failing("insert", ["23505"]));
    const failed = records.transaction((trx) => trx.insertInto("settings").values(setting).execute());
    await expect(failed).rejects.toMatchObject({ code: "23505" });
    expect(server.texts("insert")).toHaveLength(1);
    for (const refused of [new Error("full"), new CrowdaiError("usage")])
      await expect(records.transaction(() => Promise.reject(refused))).rejects.toBe(refused);
    expect(server.texts("rollback")).toHaveLength(3);
  });

  it("use another connection when an idle one breaks", async () => {
    const errors = unhandled();
    const { server, records } = await open();
    server.breakConnection(1);
    await sleep(20);
    await sql`select 1`.execute(records.db);
    expect(server.asked.at(-1)).toMatchObject({ connection: 2, text: "select 1" });
    expect(errors).toEqual([]);
  });

  it("reject a transaction whose connection breaks between two statements", async () => {
    const errors = unhandled();
    const { server, records } = await open();
    const broken = records.transaction(async (trx) => {
      await sql`select 1`.execute(trx);
      server.breakConnection(1);
      await sleep(20);
      await sql`select 2`.execute(trx);
    });
    await expect(broken).rejects.toMatchObject({ code: "records_unreachable", retryable: true });
    expect(errors).toEqual([]);
    expect(server.texts("select 2")).toEqual([]);
  });

  it("leave no connection open once they are closed", async () => {
    const server = await startScriptedPostgres();
    const records = await openPostgres(server.url);
    expect(server.open()).toBe(1);
    await records.close();
    await until(async () => server.open() === 0);
  });
});
