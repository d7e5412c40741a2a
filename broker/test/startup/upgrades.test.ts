import { type ClientRequestArgs, type IncomingMessage, request } from "node:http";
import { io } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePorts } from "../../../scripts/services/daemon.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";

describe.each(["", "/crowdai"])("a request to upgrade, of a broker at its host's path %o", (path) => {
  let test: TestBroker;
  let url: string;
  beforeAll(async () => {
    const port = await freePorts();
    url = `http://127.0.0.1:${port}`;
    test = await startBroker({ port, withGrader: false, env: path === "" ? {} : { PUBLIC_URL: url + path } });
  });
  afterAll(() => test.close());

  const ask = (target: string, upgrade: string, options: ClientRequestArgs = {}, body?: string) =>
    new Promise<[number | undefined, string]>((resolve, reject) => {
      const headers = {
        connection: "Upgrade, HTTP2-Settings",
        upgrade,
        "http2-settings": "AAMAAABkAAQCAAAAAA",
      };
      const sent = request(url + target, { ...options, headers: { ...headers, ...options.headers } });
      sent.once("error", reject);
      sent.once("response", async (response: IncomingMessage) => {
        const chunks = await response.toArray();
        resolve([response.statusCode, Buffer.concat(chunks).toString()]);
      });
      sent.end(body);
    });

  it.each([
    ["h2c", "/healthz"],
    ["h2c", "/socket.io/?EIO=4&transport=polling"],
    ["TLS/1.0, HTTP/2.0", "/healthz"],
    ["websocket", "/healthz"],
  ])("to %s at %s is ignored", async (upgrade, target) => {
    const [status, text] = await ask(path + target, upgrade);
    expect([status, text]).toEqual([200, expect.stringMatching(/"ok":true|"sid":/)]);
  });

  it("may have a body", async () => {
    const options = {
      method: "POST",
      headers: { authorization: `Bearer ${test.key}`, "content-type": "application/json" },
    };
    const [status, text] = await ask(`${path}/api/v1/submissions`, "h2c", options, "{}");
    expect([status, JSON.parse(text).error.code]).toEqual([400, "usage"]);
  });

  it.each(["/socket.io/", `${path}/socket.io/`])("to a WebSocket at %s opens a session", async (at) => {
    const socket = io(url, {
      path: at,
      transports: ["websocket"],
      auth: { apiKey: test.key, challenge: "test" },
    });
    await new Promise((resolve, reject) => socket.once("session", resolve).once("connect_error", reject));
    socket.disconnect();
  });
});
