import http from "node:http";
import type { AddressInfo } from "node:net";
import { CrowdaiError, catalog, createSubmissionId, type ErrorCode } from "@crowdai/shared";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import { SocketUnavailable } from "../../cli/src/client/session/open-socket.ts";
import { openSocketSession } from "../../cli/src/client/session/socket-session.ts";
import { within } from "./fuzzed-broker.ts";
import { broken, holds, jsonText } from "./runs.ts";

/** Each input is a connection. */
const SHARE = 0.2;
/** A client that gets no first message waits for it longer than a test does. */
const PATIENCE_MS = 300;
/** Longer than the longest way to an error: three unanswered requests, and some connections. */
const ANSWER_MS = 10_000;

const OPENING = {
  participant: { id: 1, name: "ada" },
  ...{ challenge: null, limits: null, agreed: false, broker: { version: "0.1.0", instance: "test" } },
};
const HANDSHAKE = `0${JSON.stringify({ sid: "x", upgrades: [], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1e6 })}`;
const ID = createSubmissionId();
const INTENT = { id: ID, challenge: "test", input: { kind: "inline" as const, data: 1 } };
const submission = (state: string, seq: number) => ({
  ...{ id: ID, number: 1, challenge: "test", round: "1", participant: { id: 1, name: "ada" }, member: null },
  ...{ state, seq, score: 1, created_at: "2026-01-01T00:00:00Z", artifacts: [] },
});
const event = (seq: number) => ({
  submission: ID,
  seq,
  at: "2026-01-01T00:00:00Z",
  type: "grading",
  data: {},
});

/** Values that have the form of what a broker sends, and others. */
const value = () =>
  fc.oneof(
    fc.jsonValue({ maxDepth: 3, stringUnit: "binary" }),
    fc
      .tuple(
        fc.constantFrom("submitted", "grading", "graded", "failed", "x"),
        fc.integer({ min: -1, max: 9 }),
      )
      .map(([state, seq]) => ({
        submission: submission(state, seq),
        events: [event(1)],
        upload: null,
        code: null,
      })),
    fc.record({
      submission: fc.constant(ID),
      place: fc.jsonValue({ maxDepth: 1 }),
      waiting: fc.jsonValue({ maxDepth: 1 }),
    }),
    fc
      .integer({ min: -1, max: 2 ** 40 })
      .map((seq) => ({ event: event(seq), submission: submission("graded", seq) })),
    fc.record({
      type: fc.constantFrom("observation", "step", "end", "hello", "x"),
      observation: fc.jsonValue({ maxDepth: 2 }),
    }),
  );
/** Without those after which the client tries again. */
const ERRORS = (Object.keys(catalog) as ErrorCode[]).filter((code) => catalog[code].http !== 503);
const error = () =>
  fc.record(
    {
      code: fc.oneof(fc.constantFrom(...ERRORS), fc.string()),
      message: fc.oneof(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 1 })),
      next: fc.jsonValue({ maxDepth: 1 }),
      details: fc.jsonValue({ maxDepth: 2 }),
      fault: fc.constantFrom("you", "platform", 1),
    },
    { requiredKeys: [] },
  );
const answer = () =>
  fc.oneof(
    value().map((value) => ({ ok: true, value })),
    error().map((error) => ({ ok: false, error })),
    fc.jsonValue({ maxDepth: 2 }),
  );
const frame = () =>
  fc.oneof(
    fc
      .tuple(fc.constantFrom("event", "place", "session", "x", "__proto__"), value())
      .map(([name, sent]) => `42${JSON.stringify([name, sent])}`),
    fc.constantFrom(
      "1",
      "2",
      "3",
      "40",
      '40{"sid":"y"}',
      "41",
      "43[]",
      "430[]",
      "4399[1]",
      "5",
      "6",
      "42[]",
      "42{}",
    ),
    fc.constantFrom(
      '44{"message":"no"}',
      '451-["x",{"_placeholder":true,"num":0}]',
      '459-["x"]',
      "",
      "0{}",
      "0",
    ),
    jsonText().map((json) => `42["session",${json}]`),
    error().map((error) => `44${JSON.stringify({ message: "refused", data: error })}`),
  );
/** A frame of text, or of bytes. */
const frames = (maxLength: number) =>
  fc.array(fc.tuple(broken(frame().map((text) => Buffer.from(text))), fc.double({ min: 0, max: 1 })), {
    maxLength,
  });

interface Script {
  opening: readonly [Buffer, number][];
  /** Sent before the answer of each request. */
  before: readonly [Buffer, number][];
  /** One for each request, over and over; null for none. */
  answers: readonly unknown[];
  /** The connection is cut after so many requests. */
  requests: number;
}

describe("a client whose broker says anything over its socket", () => {
  let server: http.Server;
  let sockets: WebSocketServer;
  let url: URL;
  let script: Script;
  beforeAll(async () => {
    server = http.createServer((_, response) => void response.writeHead(404).end());
    sockets = new WebSocketServer({ server });
    sockets.on("connection", talk);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterAll(async () => {
    for (const one of sockets.clients) one.terminate();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function talk(socket: WebSocket): void {
    const { opening, before, answers, requests } = script;
    let asked = 0;
    const say = (list: readonly [Buffer, number][]) => {
      for (const [bytes, how] of list) socket.send(how < 0.9 ? bytes.toString() : bytes);
    };
    socket.on("error", () => {});
    socket.on("message", (bytes) => {
      const id = /^42(\d+)\[/.exec(String(bytes))?.[1];
      if (id === undefined) return;
      say(before);
      const answer = answers[asked % answers.length];
      if (answer !== null) socket.send(`43${id}${JSON.stringify([answer])}`);
      if (++asked >= requests) socket.terminate();
    });
    say(opening);
  }

  const good = (text: string): [Buffer, number] => [Buffer.from(text), 0];
  const GOOD = [HANDSHAKE, '40{"sid":"s"}', `42${JSON.stringify(["session", OPENING])}`].map(good);
  const options = {
    broker: "",
    key: "k".repeat(20),
    client: "crowdai/0.1.0 test",
    answerMs: 40,
    lostAfterMs: 100,
  };

  /** Resolves, or rejects with an error of the catalog. */
  async function orError(work: Promise<unknown>, other: unknown = CrowdaiError): Promise<void> {
    const thrown = await within(ANSWER_MS, work).then(
      () => null,
      (caught) => caught,
    );
    if (thrown !== null && !(thrown instanceof (other as typeof CrowdaiError)))
      expect(thrown).toBeInstanceOf(CrowdaiError);
  }

  it("opens a session, or says that there is none", () =>
    holds(
      fc.asyncProperty(frames(4), fc.integer({ min: 0, max: 3 }), async (sent, valid) => {
        script = { opening: [...GOOD.slice(0, valid), ...sent], before: [], answers: [null], requests: 1 };
        const signal = AbortSignal.timeout(PATIENCE_MS);
        const opened = openSocketSession(url, { ...options, signal });
        await orError(
          opened.then((session) => session.close()),
          SocketUnavailable,
        );
      }),
      SHARE,
    ));

  it("ends each request with a value or an error of the catalog", () =>
    holds(
      fc.asyncProperty(
        frames(3),
        fc.array(fc.oneof({ weight: 5, arbitrary: answer() }, { weight: 1, arbitrary: fc.constant(null) }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom("submit", "complete", "call", "create", "step", "cancel", "watch"),
        async (before, answers, requests, asked) => {
          script = { opening: GOOD, before, answers, requests };
          const session = await openSocketSession(url, options).catch(() => null);
          if (session === null) return;
          const signal = AbortSignal.timeout(PATIENCE_MS);
          const ask = {
            submit: () => session.submit(INTENT),
            // Its answer may take minutes.
            complete: () => session.complete(ID, signal),
            call: () => session.call({ challenge: "test", function: "f", items: [{ id: ID, data: 1 }] }),
            create: () => session.createEnvironment({ id: ID, challenge: "test" }),
            step: () => session.askEnvironment(ID, { type: "step", action: 1, episode: 1, n: 1 }),
            cancel: () => session.cancel(ID),
            // A submission that has not ended is watched as long as it takes.
            watch: async () => {
              for await (const update of session.watch(ID, { signal })) expect(update).toHaveProperty("kind");
            },
          };
          await orError(ask[asked as keyof typeof ask]());
          session.close();
        },
      ),
      SHARE,
    ));

  it("gives up a broker that refuses its open connection, without a reason that it knows", async () => {
    script = {
      opening: [...GOOD, good('44{"message":"refused","data":{}}')],
      before: [],
      answers: [null],
      requests: 1,
    };
    const session = await openSocketSession(url, options);
    await expect(within(ANSWER_MS, session.submit(INTENT))).rejects.toMatchObject({ code: "broker_lost" });
    session.close();
  });

  it("gives up a broker that takes its requests and answers none", async () => {
    script = { opening: GOOD, before: [], answers: [null], requests: 99 };
    const session = await openSocketSession(url, options);
    await expect(within(ANSWER_MS, session.submit(INTENT))).rejects.toMatchObject({ code: "broker_lost" });
    session.close();
  });
});
