import { type AddressInfo, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { migrationNames } from "../../src/records/records.ts";

/** One statement that arrived. */
export interface Asked {
  /** Which connection it came on, from 1 on. */
  connection: number;
  text: string;
  values: (string | null)[];
  /** The name of a prepared statement; empty where it has none. */
  name: string;
}

export type Row = Record<string, string | number | bigint | null>;
/** Rows are sent, what is thrown is sent as an error; undefined leaves it to the other answers. */
export type Answer = (asked: Asked) => Row[] | undefined | Promise<Row[] | undefined>;

const [INT4, INT8, TEXT] = [23, 20, 25];
const MIGRATED = "2026-01-01T00:00:00.000Z";

/**
 * A server that speaks PostgreSQL's protocol, on which records of the current version seem to be. The test
 * answers statements, so that it needs no database and decides which of them fail.
 */
export async function startScriptedPostgres() {
  const asked: Asked[] = [];
  const sockets: Socket[] = [];
  const answers: Answer[] = [];
  const state = { refusal: undefined as string | undefined };

  async function rowsFor(statement: Asked): Promise<Row[]> {
    asked.push(statement);
    for (const answer of [...answers, answerMigrator]) {
      const rows = await answer(statement);
      if (rows !== undefined) return rows;
    }
    return [];
  }

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    serve(socket, { connection: sockets.length, rowsFor, refusal: () => state.refusal });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `postgres://ada:secret@127.0.0.1:${port}/contest`,
    asked,
    /** Texts of the statements, in order, of those that contain `part`. */
    texts: (part = "") => asked.map(({ text }) => text).filter((text) => text.includes(part)),
    /** Asked before the answers that there are. */
    answer: (answer: Answer) => void answers.unshift(answer),
    /** Refuses new connections with this code. */
    refuse(code: string) {
      state.refusal = code;
    },
    /** Connections that are open. */
    open: () => sockets.filter((socket) => !socket.destroyed).length,
    breakConnection: (connection: number) => sockets[connection - 1]!.destroy(),
  };
}

/** An error as the server reports it. */
export const serverError = (code: string, message = "why") => Object.assign(new Error(message), { code });

function answerMigrator({ text }: Asked): Row[] | undefined {
  if (text.includes("pg_attribute"))
    return ["kysely_migration", "kysely_migration_lock"].map((table) => ({ schema: "public", table }));
  if (text.includes('from "kysely_migration_lock"')) return [{ id: "migration_lock" }];
  if (text.includes('from "kysely_migration"'))
    return migrationNames().map((name) => ({ name, timestamp: MIGRATED }));
  return undefined;
}

interface Serving {
  connection: number;
  rowsFor(asked: Asked): Promise<Row[]>;
  refusal(): string | undefined;
}

/** Answers one message after another, as described in chapter 54 of the PostgreSQL documentation. */
function serve(socket: Socket, { connection, rowsFor, refusal }: Serving): void {
  const prepared = new Map<string, string>();
  let portal = { name: "", values: [] as (string | null)[] };
  let hasStarted = false;
  let hasFailed = false;
  let held = Buffer.alloc(0);
  let answered = Promise.resolve();
  const send = (type: string, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    if (!socket.destroyed) socket.write(Buffer.concat([Buffer.from(type), int32(body.length + 4), body]));
  };
  const fail = (error: unknown) => {
    const { code = "XX000", message } = error as { code?: string; message: string };
    send("E", text("SERROR"), text(`C${code}`), text(`M${message}`), Buffer.alloc(1));
  };

  async function run(statement: Asked): Promise<void> {
    const rows = await rowsFor(statement);
    const names = Object.keys(rows[0] ?? {});
    if (rows.length > 0) {
      send("T", int16(names.length), ...names.map((name) => field(name, rows[0]![name])));
      for (const row of rows) send("D", int16(names.length), ...names.map((name) => value(row[name]!)));
    }
    send("C", text(`${/\w+/.exec(statement.text)![0].toUpperCase()} ${rows.length}`));
  }

  async function handle(type: string, body: Buffer): Promise<void> {
    if (hasFailed && type !== "S") return;
    const read = reader(body);
    if (type === "Q") {
      await run({ connection, text: read.text(), values: [], name: "" }).catch(fail);
      send("Z", Buffer.from("I"));
    } else if (type === "P") {
      prepared.set(read.text(), read.text());
      send("1");
    } else if (type === "B") {
      read.text();
      const name = read.text();
      for (let left = read.int16(); left > 0; left--) read.int16();
      portal = { name, values: Array.from({ length: read.int16() }, read.value) };
      send("2");
    } else if (type === "E")
      await run({ connection, text: prepared.get(portal.name)!, ...portal }).catch((error) => {
        hasFailed = true;
        fail(error);
      });
    else if (type === "S") {
      hasFailed = false;
      send("Z", Buffer.from("I"));
    } else if (type === "X") socket.end();
  }

  socket.on("data", (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (;;) {
      // The first message has no type.
      const start = hasStarted ? 1 : 0;
      if (held.length < start + 4) return;
      const end = start + held.readInt32BE(start);
      if (held.length < end) return;
      const type = held.toString("latin1", 0, start);
      const body = held.subarray(start + 4, end);
      held = held.subarray(end);
      if (hasStarted) answered = answered.then(() => handle(type, body));
      else {
        hasStarted = true;
        const code = refusal();
        if (code !== undefined) {
          fail(serverError(code));
          socket.end();
          return;
        }
        send("R", int32(0));
        send("Z", Buffer.from("I"));
      }
    }
  });
}

function reader(body: Buffer) {
  let at = 0;
  const take = (length: number) => {
    at += length;
    return body.subarray(at - length, at);
  };
  return {
    int16: () => take(2).readInt16BE(),
    text() {
      const found = take(body.indexOf(0, at) - at).toString();
      take(1);
      return found;
    },
    value() {
      const length = take(4).readInt32BE();
      return length < 0 ? null : take(length).toString();
    },
  };
}

function int16(number: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(number);
  return bytes;
}

function int32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return bytes;
}

const text = (given: string) => Buffer.from(`${given}\0`);

function field(name: string, example: Row[string] | undefined): Buffer {
  const type = typeof example === "bigint" ? INT8 : typeof example === "number" ? INT4 : TEXT;
  const format = [int32(0), int16(0), int32(type), int16(-1), int32(-1), int16(0)];
  return Buffer.concat([text(name), ...format]);
}

function value(given: Row[string]): Buffer {
  if (given === null) return int32(-1);
  const bytes = Buffer.from(String(given));
  return Buffer.concat([int32(bytes.length), bytes]);
}
