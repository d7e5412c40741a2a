import http from "node:http";
import type { AddressInfo } from "node:net";
import { CrowdaiError, catalog, type ErrorCode } from "@crowdai/shared";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAccount } from "../../cli/src/client/http/account.ts";
import {
  readLeaderboard,
  readLimits,
  readSubmission,
  readSubmissions,
} from "../../cli/src/client/http/broker-queries.ts";
import { createHttpClient } from "../../cli/src/client/http/http-client.ts";
import { Challenge } from "../../cli/src/index.ts";
import { ANSWER_MS, within } from "./fuzzed-broker.ts";
import { broken, holds, jsonText } from "./runs.ts";

/** Each input is an answer. */
const SHARE = 0.15;
/** Without those after which the client tries again. */
const STATUS = [200, 200, 201, 204, 301, 302, 400, 401, 403, 404, 409, 413, 415, 422, 501, 505, 511, 599];

const ERRORS = Object.keys(catalog) as ErrorCode[];
const error = fc
  .record(
    {
      code: fc.oneof(fc.constantFrom(...ERRORS), fc.string()),
      message: fc.oneof(fc.string({ unit: "binary" }), fc.jsonValue({ maxDepth: 1 })),
      next: fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 1 })),
      fault: fc.oneof(fc.constantFrom("you", "platform"), fc.jsonValue({ maxDepth: 1 })),
      retryable: fc.jsonValue({ maxDepth: 1 }),
      details: fc.jsonValue({ maxDepth: 2 }),
    },
    { requiredKeys: [] },
  )
  .map((error) => JSON.stringify({ error }));
const answer = () =>
  fc.record({
    status: fc.constantFrom(...STATUS),
    type: fc.constantFrom("application/json", "text/html", "", "application/octet-stream"),
    body: broken(
      fc
        .oneof(jsonText(), error, fc.constantFrom("", "<!doctype html>", "{}", "[]", '{"ok":true}'))
        .map((text) => Buffer.from(text)),
    ),
    header: fc.constantFrom(
      {},
      { location: "/%" },
      { location: "http://[" },
      { "retry-after": "1e9" },
      { "content-encoding": "gzip" },
      { "content-encoding": "x" },
      { "content-length": "5" },
    ),
  });

describe("a client that gets any answer", () => {
  let server: http.Server;
  let url: string;
  let given: { status: number; type: string; body: Buffer; header: Record<string, string> };
  beforeAll(async () => {
    server = http.createServer((_request, response) => {
      const { status, type, body, header } = given;
      response.writeHead(status, { ...(type && { "content-type": type }), ...header });
      response.on("error", () => {});
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function orError(work: Promise<unknown>): Promise<void> {
    const thrown = await within(ANSWER_MS, work).then(
      () => null,
      (caught) => caught,
    );
    if (thrown !== null) expect(thrown).toBeInstanceOf(CrowdaiError);
  }

  it("reads it, or throws an error of the catalog", () => {
    const client = createHttpClient({
      broker: url,
      key: () => "k",
      client: "test/1",
      repeatMs: 0,
      idleMs: 300,
    });
    const questions = [
      () => readAccount(client),
      () => readLimits(client, "test"),
      () => readLeaderboard(client, "test"),
      () => readSubmission(client, "01HZZZZZZZZZZZZZZZZZZZZZZZ"),
      () => readSubmissions(client, "test"),
    ];
    return holds(
      fc.asyncProperty(fc.constantFrom(...questions), answer(), async (ask, sent) => {
        given = sent as typeof given;
        await orError(ask());
      }),
      SHARE,
    );
  });

  it("opens a challenge, or throws an error of the catalog", () =>
    holds(
      fc.asyncProperty(answer(), async (sent) => {
        given = sent as typeof given;
        const opened = Challenge.open("test", { apiKey: "k".repeat(20), broker: url, transport: "http" });
        await orError(opened.then((challenge) => challenge.close()));
      }),
      SHARE / 5,
    ));
});
