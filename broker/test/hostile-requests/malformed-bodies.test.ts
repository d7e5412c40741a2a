import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

let test: TestBroker;
const logged: string[] = [];
beforeAll(async () => {
  test = await startBroker({
    withGrader: false,
    env: { WEBAPP_TOKEN: ADMIN_KEY },
    log: pino({ level: "debug" }, { write: (line: string) => void logged.push(line) }),
  });
});
afterAll(() => test.close());
afterEach(() => {
  expect(logged.filter((line) => JSON.parse(line).level >= 40)).toEqual([]);
  logged.length = 0;
});

const ADMIN_KEY = "admin-key-of-the-webapp-api-0123456789";
const JSON_TYPE = { "content-type": "application/json" };

describe.each([
  "POST /api/v1/submissions",
  "POST /api/v1/calls",
  "PUT /api/v1/submissions/aaaaaaaa/baseline",
])("%s with a body", (route) => {
  const [method, path] = route.split(" ") as [string, string];

  it.each<[string, number, string, RegExp, string | Uint8Array<ArrayBuffer>, Record<string, string>]>([
    ["that is empty", 400, "usage", /body is empty/, "", JSON_TYPE],
    ["that ends early", 400, "usage", /line 1, column 2: expected/, "{", JSON_TYPE],
    ["with NaN", 400, "usage", /contains NaN at line 1, column 6/, '{"a":NaN}', JSON_TYPE],
    ["in UTF-16", 400, "usage", /not UTF-8 text/, utf16('{"a":1}'), JSON_TYPE],
    ["in UTF-16 with a byte-order mark", 400, "usage", /not UTF-8 text/, utf16('\ufeff{"a":1}'), JSON_TYPE],
    ["in Latin-1", 400, "usage", /not UTF-8 text/, latin1('{"a":"\xe9"}'), JSON_TYPE],
    ["of random bytes", 400, "usage", /not UTF-8 text/, new Uint8Array([255, 0, 1]), JSON_TYPE],
    ["nested 100,000 levels deep", 400, "usage", /./, `{"a":${"[".repeat(1e5)}`, JSON_TYPE],
    [
      "compressed with gzip",
      415,
      "media_type_unsupported",
      /compressed \(gzip\)/,
      new Uint8Array(gzipSync("{}")),
      { ...JSON_TYPE, "content-encoding": "gzip" },
    ],
    [
      "of plain text",
      415,
      "media_type_unsupported",
      /type "text\/plain"/,
      "{}",
      { "content-type": "text/plain" },
    ],
    ["of no type", 415, "media_type_unsupported", /does not state/, new Uint8Array([123, 125]), {}],
  ])("%s is refused as the client's error", async (_, status, code, message, body, headers) => {
    const response = await fetch(test.broker.url + path, {
      method,
      body,
      headers: { authorization: `Bearer ${test.key}`, ...headers },
    });
    expect([response.status, await response.json()]).toEqual([
      status,
      { error: expect.objectContaining({ code, fault: "you", message: expect.stringMatching(message) }) },
    ]);
  });
});

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

function utf16(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, "utf16le"));
}

it.each([
  ["POST /api/v1/submissions", "application/json"],
  ["POST /sign-in", "application/x-www-form-urlencoded"],
  ["POST /theme", "multipart/form-data; boundary=x"],
  ["POST /api/external_graders", "application/json"],
  ["POST /code/test/ada.git/git-receive-pack", "application/x-git-receive-pack-request"],
])("%s: a client that leaves in the middle of its body is not logged as a failure", async (route, type) => {
  const { port } = new URL(test.broker.url);
  const client = connect(Number(port), "127.0.0.1");
  client.write(
    [
      `${route} HTTP/1.1`,
      "Host: localhost",
      "Sec-Fetch-Site: same-origin",
      `Authorization: ${route.includes(".git") ? `Basic ${btoa(`crowdai:${test.key}`)}` : `Bearer ${test.key}`}`,
      `Content-Type: ${type}`,
      "Transfer-Encoding: chunked",
      "",
      '5\r\n{"a":\r\n',
    ].join("\r\n"),
  );
  // Long enough to reach the route; were it not, the test would still pass.
  await new Promise((resolve) => setTimeout(resolve, 50));
  client.destroy();
  await until(async () => logged.some((line) => line.includes('"request_served"')));
});

it("POST /api/external_graders refuses JSON in Latin-1", async () => {
  const response = await fetch(`${test.broker.url}/api/external_graders`, {
    method: "POST",
    headers: { authorization: `Token token=${ADMIN_KEY}`, ...JSON_TYPE },
    body: latin1('{"grading_message":"\xe9"}'),
  });
  expect([response.status, await response.json()]).toEqual([400, { message: "The body is not UTF-8 text." }]);
});
