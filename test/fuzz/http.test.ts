import { Agent, type IncomingMessage, METHODS, request } from "node:http";
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describedBodies } from "../../broker/test/hostile-requests/described-bodies.ts";
import { listRoutes } from "../../broker/test/hostile-requests/every-route.ts";
import { type HostileRequest, hostileRequest } from "../../broker/test/hostile-requests/hostile-request.ts";
import type { Schema } from "../../broker/test/hostile-requests/hostile-values.ts";
import { createRandom } from "../../broker/test/hostile-requests/random.ts";
import { type FuzzedBroker, isCatalogued, startFuzzedBroker } from "./fuzzed-broker.ts";
import { broken, holds, jsonText } from "./runs.ts";

/** Each input is a request. */
const SHARE = 0.4;

const routes = listRoutes();
// CONNECT asks for a tunnel, which Node.js answers by itself.
const methods = METHODS.filter((method) => method !== "CONNECT");

/** Changes to a request of the route's own form. */
const changes = () =>
  fc.record(
    {
      method: fc.constantFrom(...methods),
      segment: fc.string({ unit: "binary", maxLength: 40 }).map(encoded),
      query: fc
        .array(fc.tuple(fc.string({ maxLength: 8 }), fc.string({ unit: "binary", maxLength: 20 })), {
          maxLength: 4,
        })
        .map((pairs) => `?${pairs.map((pair) => pair.map(encoded).join("=")).join("&")}`),
      header: fc.tuple(
        fc.stringMatching(/^[a-z][a-z-]{0,20}$/).filter((name) => !HOP_BY_HOP.has(name)),
        fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,60}$/),
      ),
      cookie: fc.stringMatching(/^[\x21-\x7e]{0,60}$/),
      body: broken(fc.oneof(jsonText(), fc.string()).map((text) => Buffer.from(text))),
    },
    { requiredKeys: [] },
  );
type Change = ReturnType<typeof changes> extends fc.Arbitrary<infer T> ? T : never;
/** Headers of the connection, which Node.js acts on by itself. */
const HOP_BY_HOP = new Set(["connection", "expect", "host", "upgrade", "transfer-encoding", "trailer", "te"]);

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

describe("a broker that gets any request", () => {
  let fuzzed: FuzzedBroker;
  let bodies: Map<string, Schema>;
  const agent = new Agent({ keepAlive: true });
  beforeAll(async () => {
    fuzzed = await startFuzzedBroker();
    bodies = await describedBodies(fuzzed.test);
  });
  afterAll(async () => {
    agent.destroy();
    await fuzzed?.close();
  });

  function send(method: string, { path, headers, body }: Omit<HostileRequest, "note">) {
    const { hostname, port } = new URL(fuzzed.test.broker.url);
    return new Promise<{ status: number; body: string }>((resolve, reject) => {
      const sent = request({ host: hostname, port, agent, method, path, headers });
      sent.on("response", (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        // A stream of events does not end.
        if (response.headers["content-type"]?.startsWith("text/event-stream")) response.destroy();
        response.on("close", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      });
      // A refused body is not read to its end.
      sent.on("error", (error: NodeJS.ErrnoException) =>
        ["EPIPE", "ECONNRESET"].includes(error.code ?? "") ? resolve({ status: 0, body: "" }) : reject(error),
      );
      sent.end(body);
    });
  }

  async function tryRoute(route: { method: string; path: string }, seed: number, change: Change) {
    const schema = bodies.get(`${route.method} ${route.path}`);
    const made = hostileRequest(createRandom(seed), route.path, fuzzed.known, schema);
    const [path] = made.path.split("?") as [string];
    const body = change.body ?? made.body;
    const method = change.method ?? (route.method === "ALL" ? "POST" : route.method);
    const sent = {
      path:
        change.segment === undefined && change.query === undefined
          ? made.path
          : path.replace(/[^/]*$/, (last) => change.segment ?? last) + (change.query ?? ""),
      headers: {
        ...made.headers,
        ...(change.header ? { [change.header[0]]: change.header[1] } : {}),
        ...(change.cookie ? { cookie: change.cookie } : {}),
        "content-length": String(Buffer.byteLength(body)),
      },
      body,
    };
    const answer = await fuzzed.unharmed(() => send(method, sent));
    expect([answer, isCatalogued(answer.status, answer.body)]).toEqual([answer, true]);
  }

  it("at any route answers with a reason of the catalog", async () => {
    await holds(fc.asyncProperty(fc.constantFrom(...routes), fc.nat(), changes(), tryRoute), SHARE);
    await fuzzed.grades();
  });

  it("whose bytes are broken answers or closes the connection", async () => {
    const { hostname, port } = new URL(fuzzed.test.broker.url);
    const lines = fc
      .record({
        route: fc.constantFrom(...routes),
        version: fc.constantFrom("HTTP/1.1", "HTTP/1.0", "HTTP/2.0"),
        header: fc.constantFrom(
          "Content-Length: 5",
          "Transfer-Encoding: chunked",
          "Expect: 100-continue",
          "Upgrade: websocket\r\nConnection: Upgrade",
          "Host: \u0000",
        ),
        body: fc.constantFrom("", "hello", "5\r\nhello\r\n0\r\n\r\n", "ffffffffff\r\n"),
      })
      .map(({ route: { method, path }, version, header, body }) =>
        Buffer.from(`${method} ${path} ${version}\r\nHost: ${hostname}\r\n${header}\r\n\r\n${body}`),
      );
    const exchange = (bytes: Buffer) =>
      new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname);
        socket.on("error", () => {}).on("close", () => resolve());
        socket.once("data", () => socket.destroy());
        // With its end, an unfinished request is over too.
        socket.end(bytes);
      });
    await holds(
      fc.asyncProperty(broken(lines), (bytes) => fuzzed.unharmed(() => exchange(bytes))),
      SHARE / 2,
    );
    await fuzzed.grades();
  });

  it("keeps nothing of them in memory", () =>
    fuzzed.staysSmall((numRuns) =>
      fc.assert(fc.asyncProperty(fc.constantFrom(...routes), fc.nat(), changes(), tryRoute), {
        numRuns,
        seed: 7,
      }),
    ));
});
