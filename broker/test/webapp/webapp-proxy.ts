import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect } from "vitest";
import { WEBAPP_TIMES, type WebappTimes } from "../../src/background/webapp/remote/remote-webapp.ts";
import type { WebappUnderTest } from "../../src/background/webapp/webapp.contract.ts";
import { revokeKeys } from "../../src/domain/participants/api-keys.ts";
import { startBroker, type TestBroker, type TestClient, untilEnd } from "../support/test-broker.ts";
import { ADMIN, startWebapp, type WebappStage } from "../webapp-api/webapp-api-client.ts";

/** The fate of a request on its way to the webapp. */
export type ProxyFault =
  | "through"
  /** The connection ends before anything arrives. */
  | "cut"
  /** The request arrives and is processed, but the response is lost. */
  | "answer lost"
  /** No response ever arrives. */
  | "silence"
  | { status: number; body: string; type?: string };

export interface WebappProxy {
  url: string;
  /** Decides for each request; by default all pass. */
  way: (method: string, path: string) => ProxyFault;
  /** Method and path of each request that arrived here. */
  seen: string[];
  close(): Promise<void>;
}

/** Starts a proxy in front of the webapp that fails on demand. */
export async function startWebappProxy(target: () => string): Promise<WebappProxy> {
  const between: Omit<WebappProxy, "url"> = {
    way: () => "through",
    seen: [],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });
  async function pass(request: IncomingMessage, response: ServerResponse) {
    const { method = "GET", url = "/" } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    between.seen.push(`${method} ${url.split("?")[0]}`);
    const way = between.way(method, url);
    if (way === "silence") return;
    if (way === "cut") return void response.destroy();
    if (typeof way === "object") {
      response.writeHead(way.status, { "content-type": way.type ?? "text/html" });
      return void response.end(way.body);
    }
    const { authorization = "", "content-type": type } = request.headers;
    const answer = await fetch(target() + url, {
      method,
      headers: { authorization, ...(type === undefined ? {} : { "content-type": type }) },
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    });
    const body = await answer.text();
    if (way === "answer lost") return void response.destroy();
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(body);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(between, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

export const QUICK: WebappTimes = {
  ...WEBAPP_TIMES,
  freshMs: 500,
  unknownMs: 100,
  firstPauseMs: 50,
  promptTimeoutMs: 5000,
  awayMs: 100,
};

export interface RemoteStage {
  broker: TestBroker;
  /** A broker that serves its API as the webapp. */
  webapp: WebappStage;
  between: WebappProxy;
  close(): Promise<void>;
}

/**
 * Starts a broker, and another one as its webapp. The broker itself limits nothing, so that all refusals come
 * from the webapp.
 */
export async function startRemote(
  options: {
    rounds?: Record<string, unknown>[];
    own?: Record<string, unknown>[];
    times?: Partial<WebappTimes>;
    env?: Record<string, string>;
    webappEnv?: Record<string, string>;
    /** The token that the broker uses; by default the admin's. */
    token?: (webapp: WebappStage) => string;
  } = {},
): Promise<RemoteStage> {
  const { rounds = [{ id: "1" }], own = [{ id: "1" }], times, env, webappEnv, token } = options;
  const webapp = await startWebapp({ challenges: [{ rounds }], ...(webappEnv ? { env: webappEnv } : {}) });
  const between = await startWebappProxy(() => webapp.broker.url);
  const broker = await startBroker({
    challenges: [{ rounds: own }],
    env: { WEBAPP_URL: between.url, WEBAPP_TOKEN: token?.(webapp) ?? ADMIN, ...env },
    webappTimes: { ...QUICK, ...times },
  });
  return {
    broker,
    webapp,
    between,
    async close() {
      await broker.close();
      await between.close();
      await webapp.close();
    },
  };
}

/** Returns a broker and its webapp as the contract of all webapps requires. */
export function underTest({
  broker,
  webapp,
  close,
}: Pick<RemoteStage, "broker" | "webapp" | "close">): WebappUnderTest {
  return {
    broker,
    addParticipant: webapp.addParticipant,
    revoke: async (name) => {
      await revokeKeys(webapp.records, "participant", name, new Date().toISOString());
    },
    read: async (path) => (await webapp.ask("GET", path)).body,
    close,
  };
}

/** Webapps that fail, each in another way. */
export const FAILING: [string, ProxyFault][] = [
  ["cuts every connection", "cut"],
  ["answers 500", { status: 500, body: '{"message":"server error"}', type: "application/json" }],
  ["answers 502 in HTML", { status: 502, body: "<h1>Bad gateway</h1>" }],
  ["answers 200 in HTML", { status: 200, body: "<h1>Down for maintenance</h1>" }],
  ["sends elsewhere", { status: 302, body: "" }],
  ["refuses the broker's key", { status: 401, body: "HTTP Token: Access denied.\n", type: "text/plain" }],
];

/** Starts a stage for each test, and closes it afterwards. */
export function useRemote() {
  let stage: RemoteStage;
  afterEach(() => stage?.close());
  return {
    get broker() {
      return stage.broker;
    },
    get webapp() {
      return stage.webapp;
    },
    get between() {
      return stage.between;
    },
    /** Starts with a connected participant of the webapp, grace. */
    async start(options: Parameters<typeof startRemote>[0] = {}) {
      stage = await startRemote(options);
      const key = await stage.webapp.addParticipant("grace");
      return { key, client: await stage.broker.connect({ key }) };
    },
    async graded(client: TestClient, score = 1): Promise<string> {
      const { submission } = await client.submit({ input: { kind: "inline", data: { score } } });
      const events = await untilEnd(client, submission.id);
      expect(events.at(-1)).toMatchObject({ type: "graded", data: { score } });
      return submission.id;
    },
  };
}
