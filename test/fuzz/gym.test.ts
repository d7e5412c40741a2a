import { createSubmissionId } from "@crowdai/shared";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createToyGrader,
  environmentChallenge,
  type ToyGrader,
} from "../../broker/test/support/toy-sessions.ts";
import { type FuzzedBroker, startFuzzedBroker } from "./fuzzed-broker.ts";
import { holds } from "./runs.ts";

/** Each input is a request. */
const SHARE = 0.25;

const PATHS = [
  ...[
    "reset/",
    "step/",
    "action_space/",
    "action_space/sample",
    "action_space/contains/",
    "observation_space/",
  ],
  ...["observation_space/contains", "monitor/start/", "x", "", "../../..", "step/step/step"],
];
const body = () =>
  fc.oneof(
    fc.json(),
    fc
      .record(
        {
          action: fc.jsonValue({ maxDepth: 3 }),
          episode: fc.oneof(fc.integer({ min: -1, max: 3 }), fc.jsonValue({ maxDepth: 1 })),
          n: fc.oneof(fc.integer({ min: -1, max: 4 }), fc.jsonValue({ maxDepth: 1 })),
          render: fc.jsonValue({ maxDepth: 1 }),
        },
        { requiredKeys: [] },
      )
      .map((fields) => JSON.stringify(fields)),
    fc
      .record(
        {
          env_id: fc.oneof(fc.constant("Run"), fc.jsonValue({ maxDepth: 1 })),
          token: fc.jsonValue({ maxDepth: 1 }),
          version: fc.jsonValue({ maxDepth: 1 }),
          submission: fc.jsonValue({ maxDepth: 1 }),
        },
        { requiredKeys: [] },
      )
      .map((fields) => JSON.stringify(fields)),
    fc.constantFrom(
      '{"action":1}',
      '{"action":NaN}',
      '{"action":1e999}',
      "{",
      "",
      "[".repeat(5000),
      "\u0000",
    ),
    fc.string({ unit: "binary" }),
  );

describe("an environment over HTTP that gets any request", () => {
  let fuzzed: FuzzedBroker;
  let toy: ToyGrader;
  let instance: string;
  beforeAll(async () => {
    toy = createToyGrader(["play", "test"]);
    fuzzed = await startFuzzedBroker({
      runGrader: toy.run,
      challenges: [
        {},
        environmentChallenge({
          id: "play",
          environment: { seeds: { count: 2 }, old_clients: { env_id: "Run" } },
        }),
      ],
    });
    // The submissions that every fuzzed broker has.
    await toy.report(await toy.next(), { type: "started" });
    await open();
  });
  afterAll(() => fuzzed?.close());

  async function open() {
    const token = await fuzzed.test.addParticipant(`player ${createSubmissionId()}`);
    const created = await send("POST", "", JSON.stringify({ env_id: "Run", token, version: "1.5" }));
    expect(created.status).toBe(200);
    instance = (JSON.parse(created.text) as { instance_id: string }).instance_id;
    // As the real one: a session can be submitted before its end.
    await toy.serve(await toy.next(), async (request) =>
      request.type === "submit" && request.early === true ? { type: "end" } : (null as never),
    );
  }

  async function send(method: string, path: string, sent: string) {
    const response = await fetch(`${fuzzed.test.broker.url}/v1/envs/${path}`, {
      method,
      redirect: "manual",
      headers: { "content-type": "application/json" },
      ...(method === "GET" || method === "HEAD" ? {} : { body: sent }),
    });
    return { status: response.status, text: await response.text() };
  }

  it("answers each, and its session goes on", async () => {
    await holds(
      fc.asyncProperty(
        fc.constantFrom("POST", "POST", "POST", "GET", "PUT", "DELETE", "HEAD"),
        fc.oneof(fc.constantFrom(...PATHS), fc.string({ maxLength: 20 }).map(encodeURIComponent)),
        fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.string() }),
        body(),
        async (method, path, other, sent) => {
          const at = other === null ? `${instance}/` : `${encodeURIComponent(other)}/`;
          const { status, text } = await fuzzed.unharmed(() => send(method, at + path, sent));
          expect([200, 204, 400, 404]).toContain(status);
          if (status === 400 && method !== "HEAD") expect(JSON.parse(text)).toHaveProperty("message");
        },
      ),
      SHARE,
    );
    const { status } = await send("GET", `${instance}/action_space/`, "");
    expect(status).toBe(200);
  });

  it("that closes the session, or its monitor, ends it or answers why not", () =>
    holds(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom("reset/", "step/", "monitor/start/", "close", "close/x"), body()), {
          maxLength: 2,
        }),
        fc.constantFrom("close/", "close", "monitor/close/", "monitor/close", "monitor/close/"),
        fc.oneof(body(), fc.constantFrom('{"early":false}', '{"early":true}', '{"early":0}', "null")),
        fc.integer({ min: 1, max: 3 }),
        async (before, path, sent, times) => {
          for (const [at, what] of before)
            await fuzzed.unharmed(() => send("POST", `${instance}/${at}`, what));
          // Sent twice or at once, as a client does that got no answer.
          const answers = await fuzzed.unharmed(() =>
            Promise.all(Array.from({ length: times }, () => send("POST", `${instance}/${path}`, sent))),
          );
          for (const { status, text } of answers) {
            expect([200, 204, 400]).toContain(status);
            if (status === 400) expect(JSON.parse(text)).toHaveProperty("message");
          }
          // Whatever it was, the agent can leave, and open another one.
          expect((await fuzzed.unharmed(() => send("POST", `${instance}/close/`, ""))).status).toBe(204);
          await open();
        },
      ),
      SHARE / 5,
    ));
});
