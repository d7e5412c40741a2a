import http from "node:http";
import type { AddressInfo } from "node:net";
import { CrowdaiError, type ErrorCode } from "@crowdai/shared";

/** The response for a path: a JSON value, an error, bytes, or the result of a function of the request. */
export type Answer =
  | { json: unknown; headers?: Record<string, string> }
  | { error: ErrorCode; message?: string; details?: Record<string, unknown> }
  | { bytes: string; type?: string };

export interface ScriptedBroker extends AsyncDisposable {
  readonly url: string;
  /** Responses by path, without the query. */
  routes: Record<string, Answer | ((request: http.IncomingMessage) => Answer)>;
  readonly received: { path: string; key: string | null }[];
}

/** A broker with scripted responses, for tests of the commands around a submission. */
export async function startScriptedBroker(routes: ScriptedBroker["routes"] = {}): Promise<ScriptedBroker> {
  const received: ScriptedBroker["received"] = [];
  const server = http.createServer((request, response) => {
    const path = request.url ?? "";
    received.push({ path, key: request.headers.authorization?.replace("Bearer ", "") ?? null });
    const route = broker.routes[decodeURIComponent(path.split("?")[0]!)] ?? { error: "not_found" };
    respond(response, typeof route === "function" ? route(request) : route);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const broker: ScriptedBroker = {
    url,
    routes: { "/healthz": { json: { ok: true, service: "crowdai", version: "0.1.0" } }, ...routes },
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return broker;
}

function respond(response: http.ServerResponse, answer: Answer): void {
  if ("bytes" in answer) {
    response.writeHead(200, { "content-type": answer.type ?? "application/octet-stream" }).end(answer.bytes);
  } else if ("json" in answer) {
    response
      .writeHead(200, { "content-type": "application/json", ...answer.headers })
      .end(JSON.stringify(answer.json));
  } else {
    const error = new CrowdaiError(answer.error, answer.message, { details: answer.details });
    response
      .writeHead(error.row.http, { "content-type": "application/json" })
      .end(JSON.stringify({ error: error.toBody() }));
  }
}
