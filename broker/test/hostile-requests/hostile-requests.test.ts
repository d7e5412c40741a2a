import { Agent, type IncomingMessage, request } from "node:http";
import { type ErrorBody, handshakeSchema } from "@crowdai/shared";
import { pino } from "pino";
import { io } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { withoutService } from "../../../scripts/services/programs.ts";
import { createDatabase } from "../../../test/shared-services.ts";
import { addOrganizer } from "../../src/domain/participants/api-keys.ts";
import { authenticateSchema, executeSchema } from "../../src/legacy/messages.ts";
import { connectLegacy } from "../legacy/legacy-client.ts";
import { createPageClient } from "../pages/page-client.ts";
import { startBroker, type TestBroker, type TestClient } from "../support/test-broker.ts";
import { describedBodies } from "./described-bodies.ts";
import { listEvents, listRoutes } from "./every-route.ts";
import { EVENT_SCHEMAS, hostileEvent } from "./hostile-event.ts";
import { type HostileRequest, hostileRequest, type Known } from "./hostile-request.ts";
import { hostileValue, type Schema } from "./hostile-values.ts";
import { createRandom } from "./random.ts";

const ADMIN_KEY = "admin-key-of-the-webapp-api-0123456789";

const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input" }) as Schema;
const HANDSHAKE = schemaOf(handshakeSchema);
const AUTHENTICATE = schemaOf(authenticateSchema);
const EXECUTE = schemaOf(executeSchema);

/** Resolves with the reason of a refusal, or null when the session opens. */
function handshake(url: string, auth: object): Promise<ErrorBody | null> {
  const socket = io(url, { transports: ["websocket"], reconnection: false, forceNew: true, auth });
  return new Promise<ErrorBody | null>((resolve) => {
    socket.once("session", () => resolve(null));
    // A message that is not one of the protocol ends the connection.
    socket.io.once("close", () => resolve(null));
    socket.once("connect_error", (error) => resolve((error as Error & { data: ErrorBody }).data));
  }).finally(() => socket.disconnect());
}

interface LogLine {
  level: number;
  msg: string;
  err?: { stack?: string };
}

describe.each([
  { records: "SQLite", each: 12, env: async () => ({}), skipped: false },
  {
    records: "PostgreSQL",
    each: 5,
    env: async () => ({ DATABASE_URL: await createDatabase() }),
    skipped: withoutService("postgres"),
  },
])("a hostile client of a broker with records on $records", ({ each, env, skipped }) => {
  let test: TestBroker;
  let client: TestClient;
  let known: Known;
  const logged: LogLine[] = [];
  const errors = (from: number) => logged.slice(from).filter(({ level }) => level >= 50);
  const agent = new Agent({ keepAlive: true });

  beforeAll(async () => {
    if (skipped) return;
    test = await startBroker({
      log: pino({ level: "warn" }, { write: (line: string) => void logged.push(JSON.parse(line)) }),
      env: { WEBAPP_TOKEN: ADMIN_KEY, ...(await env()) },
    });
    client = await test.connect();
    const input = { kind: "file" as const, name: "a.csv", size: 3, sha256: "0".repeat(64) };
    const file = await client.submit({ input });
    const value = await client.submit({ input: { kind: "inline", data: { score: 1 } } });
    const organizer = await addOrganizer(test.records, "org", ["test"], new Date().toISOString());
    const page = createPageClient(test);
    await page.signIn(test.key);
    known = {
      names: [file.submission.id, value.submission.id, "test", "ada", "1", "2"],
      keys: [test.key, organizer, ADMIN_KEY],
      signed: (file.upload?.parts ?? []).map(({ url }) => url.slice(test.broker.url.length)),
      cookie: [...page.cookies].map(([name, text]) => `${name}=${text}`).join("; "),
      formToken: await page.token(),
    };
  });
  afterAll(async () => {
    agent.destroy();
    await test?.close();
  });

  function send(method: string, { path, headers, body }: HostileRequest): Promise<number> {
    const url = new URL(test.broker.url);
    return new Promise((resolve, reject) => {
      const sent = request({ host: url.hostname, port: url.port, agent, method, path, headers });
      sent.on("response", (response: IncomingMessage) => {
        // A stream of events does not end.
        if (response.headers["content-type"]?.startsWith("text/event-stream")) response.destroy();
        response.resume().on("close", () => resolve(response.statusCode ?? 0));
      });
      // A refused body is not read to its end.
      sent.on("error", (error: NodeJS.ErrnoException) =>
        ["EPIPE", "ECONNRESET"].includes(error.code ?? "") ? resolve(0) : reject(error),
      );
      sent.end(body);
    });
  }

  it("gets a reason from every route, not a failure of the broker", async (context) => {
    context.skip(skipped, "PostgreSQL is not installed on this machine");
    const random = createRandom(7);
    const bodies = await describedBodies(test);
    const failed: string[] = [];
    for (const { method, path } of listRoutes())
      for (let count = 0; count < each; count++) {
        const sent = hostileRequest(random, path, known, bodies.get(`${method} ${path}`));
        const before = logged.length;
        const status = await send(method, sent);
        if (status >= 500 || errors(before).length > 0)
          failed.push(`${status} ${method} ${sent.note} ${JSON.stringify(errors(before)).slice(0, 500)}`);
      }
    expect(failed).toEqual([]);
    expect((await test.fetch("/readyz")).status).toBe(200);
  });

  it("gets a reason for every event, not a failure of the broker", async (context) => {
    context.skip(skipped, "PostgreSQL is not installed on this machine");
    expect(Object.keys(EVENT_SCHEMAS).sort()).toEqual(listEvents().sort());
    const random = createRandom(11);
    const failed: unknown[] = [];
    for (const event of listEvents())
      for (let count = 0; count < 2 * each; count++) {
        const message = hostileEvent(random, event, known);
        const before = logged.length;
        const answer = await client.socket.timeout(20_000).emitWithAck(event, message);
        if (answer.error?.code === "unexpected" || errors(before).length > 0)
          failed.push([event, message, errors(before)]);
      }
    expect(failed).toEqual([]);
  });

  it("gets a reason for every handshake and every message of the older protocol", async (context) => {
    context.skip(skipped, "PostgreSQL is not installed on this machine");
    const random = createRandom(13);
    for (let count = 0; count < each; count++) {
      const auth = hostileValue(HANDSHAKE, random, [...known.keys, ...known.names]) as object;
      const refused = await handshake(test.broker.url, auth);
      expect([auth, refused?.code]).not.toEqual([auth, "unexpected"]);
    }
    const older = await connectLegacy(test.broker.url);
    for (let count = 0; count < each; count++) {
      await older.emit("authenticate", hostileValue(AUTHENTICATE, random, known.keys));
      await older.emit("execute_function", hostileValue(EXECUTE, random, known.names));
    }
    older.close();
    expect(errors(0)).toEqual([]);
  });
});
