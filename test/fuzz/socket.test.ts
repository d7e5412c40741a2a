import fc from "fast-check";
import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listEvents } from "../../broker/test/hostile-requests/every-route.ts";
import { hostileEvent } from "../../broker/test/hostile-requests/hostile-event.ts";
import { createRandom } from "../../broker/test/hostile-requests/random.ts";
import { connectLegacy, encodeBinary } from "../../broker/test/legacy/legacy-client.ts";
import { type FuzzedBroker, startFuzzedBroker, within } from "./fuzzed-broker.ts";
import { broken, holds, jsonText } from "./runs.ts";

/** Each input is a message of a session. */
const SHARE = 0.3;

const deep = (depth: number) => JSON.parse("[".repeat(depth) + "]".repeat(depth)) as unknown;
const message = () =>
  fc.oneof(
    { weight: 6, arbitrary: fc.jsonValue({ maxDepth: 3, stringUnit: "binary" }) },
    { weight: 1, arbitrary: fc.constantFrom(1, 100, 2000).map(deep) },
    {
      weight: 1,
      arbitrary: fc.constantFrom("x".repeat(100_000), Array(20_000).fill(0), { id: "x".repeat(9000) }),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ id: Buffer.from(bytes) })) },
  );
const eventName = () =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...listEvents()) },
    { weight: 1, arbitrary: fc.constantFrom("session", "event", "place", "__proto__", "constructor") },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }).filter((name) => !RESERVED.has(name)) },
  );
/** Names that socket.io-client does not send. */
const RESERVED = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
]);

const packets = () =>
  broken(
    fc
      .oneof(
        fc
          .tuple(fc.constantFrom("42", "420", "4299999999999", "43", "431"), eventName(), fc.json())
          .map(([head, name, json]) => `${head}${JSON.stringify([name])?.slice(0, -1)},${json}]`),
        fc.constantFrom(
          "0{}",
          "1",
          "2",
          "2probe",
          "3",
          "40",
          '40{"apiKey":"x"}',
          '40/other,{"apiKey":1}',
          "41",
          "44{}",
        ),
        fc.constantFrom(
          '451-["x",{"_placeholder":true,"num":0}]',
          '459-["x"]',
          '45-1-["x"]',
          "46",
          "5",
          "6",
          "42[]",
          "42{}",
        ),
        jsonText().map((json) => `40${json}`),
      )
      .map((text) => Buffer.from(text)),
  );

describe("a broker that gets any message", () => {
  let fuzzed: FuzzedBroker;
  const sockets = new Set<Socket>();
  let socket: Socket;
  beforeAll(async () => {
    fuzzed = await startFuzzedBroker();
    socket = await open();
  });
  afterAll(async () => {
    for (const one of sockets) one.disconnect();
    await fuzzed?.close();
  });

  async function open(): Promise<Socket> {
    socket?.disconnect();
    ({ socket } = await fuzzed.test.connect());
    sockets.clear();
    sockets.add(socket);
    return socket;
  }

  /** Resolves with the answer; null when the connection is ended instead, as one that sent bytes is. */
  function ask(name: string, sent: unknown[]): Promise<{ ok: boolean; error?: { code: string } } | null> {
    const ended = Promise.withResolvers<null>();
    const end = () => ended.resolve(null);
    socket.once("disconnect", end);
    return Promise.race([ended.promise, socket.emitWithAck(name, ...sent)]).finally(() =>
      socket.off("disconnect", end),
    );
  }

  async function tryEvent(name: string, sent: unknown[]) {
    if (!socket.connected) await open();
    const answer = await fuzzed.unharmed(() => ask(name, sent));
    if (answer === null) return;
    expect(answer.ok || answer.error?.code).not.toBe("unexpected");
    expect(answer).toHaveProperty(answer.ok ? "value" : "error");
  }

  it("of any event answers it", async () => {
    await holds(fc.asyncProperty(eventName(), fc.array(message(), { maxLength: 3 }), tryEvent), SHARE);
    await fuzzed.grades();
  });

  it("of an event's own form, with wrong values, answers it", async () => {
    await holds(
      fc.asyncProperty(fc.constantFrom(...listEvents()), fc.nat(), (name, seed) =>
        tryEvent(name, [hostileEvent(createRandom(seed), name, fuzzed.known)]),
      ),
      SHARE,
    );
    await fuzzed.grades();
  });

  it("before or instead of a session refuses it, or ends the connection", async () => {
    const auth = fc.dictionary(fc.constantFrom("apiKey", "challenge", "client", "x"), message(), {
      noNullPrototype: true,
    });
    const handshake = (sent: object) =>
      new Promise<unknown>((resolve) => {
        const one = io(fuzzed.test.broker.url, {
          ...{ transports: ["websocket"], reconnection: false, forceNew: true, auth: sent },
        });
        const done = (value: unknown) => {
          one.disconnect();
          resolve(value);
        };
        one.once("session", () => done(null));
        one.io.once("close", () => done(null));
        one.once("connect_error", (error) =>
          done((error as Error & { data?: { code?: string } }).data?.code),
        );
      });
    await holds(
      fc.asyncProperty(auth, fc.boolean(), async (made, isKnown) => {
        const sent = isKnown ? { ...made, apiKey: fuzzed.test.key } : made;
        expect(await fuzzed.unharmed(() => handshake(sent))).not.toBe("unexpected");
      }),
      SHARE / 5,
    );
    await fuzzed.grades();
  });

  it.each([3, 4])("in packets of version %i that are broken, ends only that connection", async (version) => {
    const url = `${fuzzed.test.broker.url.replace(/^http/, "ws")}/socket.io/?EIO=${version}&transport=websocket`;
    const exchange = (sent: readonly Uint8Array[], isText: boolean) =>
      new Promise<void>((resolve) => {
        const one = new WebSocket(url);
        one.onopen = () => {
          for (const bytes of sent) one.send(isText ? Buffer.from(bytes).toString() : Uint8Array.from(bytes));
          // A broker that reads no more need not answer the close.
          one.close();
          setTimeout(resolve, 10);
        };
        one.onerror = () => resolve();
      });
    await holds(
      fc.asyncProperty(fc.array(packets(), { minLength: 1, maxLength: 4 }), fc.boolean(), (sent, isText) =>
        fuzzed.unharmed(() => exchange(sent, isText)),
      ),
      SHARE / 8,
    );
    await fuzzed.grades();
  });

  it("of the first clients answers it", async () => {
    const older = await connectLegacy(fuzzed.test.broker.url);
    const name = fc.constantFrom("authenticate", "execute_function");
    await holds(
      fc.asyncProperty(name, fc.jsonValue({ maxDepth: 3 }), async (event, sent) => {
        expect(await fuzzed.unharmed(() => within(20_000, older.emit(event, sent)))).toBeDefined();
      }),
      SHARE / 4,
    );
    older.close();
    await fuzzed.grades();
  });

  it("of the first clients in broken frames of polling, answers a bad request", async () => {
    const at = `${fuzzed.test.broker.url}/socket.io/?EIO=3&transport=polling`;
    const frames = broken(
      fc.array(packets(), { minLength: 1, maxLength: 3 }).map((sent) => encodeBinary(sent.map(String))),
    );
    const headers = { "content-type": "application/octet-stream" };
    await holds(
      fc.asyncProperty(frames, async (body) => {
        const status = await fuzzed.unharmed(async () => {
          const opened = Buffer.from(await (await fetch(at)).arrayBuffer()).toString("latin1");
          const sid = /"sid":"([^"]+)"/.exec(opened)?.[1];
          expect(sid).toBeDefined();
          const sent = { method: "POST", headers, body: Uint8Array.from(body) };
          const { status } = await fetch(`${at}&sid=${sid}`, sent);
          await fetch(`${at}&sid=${sid}`, { ...sent, body: Uint8Array.from(encodeBinary(["1"])) });
          return status;
        });
        expect([200, 400, 413]).toContain(status);
      }),
      SHARE / 8,
    );
    await fuzzed.grades();
  });

  it("keeps nothing of them in memory", () =>
    fuzzed.staysSmall((numRuns) =>
      fc.assert(fc.asyncProperty(eventName(), fc.array(message(), { maxLength: 3 }), tryEvent), {
        numRuns,
        seed: 7,
      }),
    ));
});
