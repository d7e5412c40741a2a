import http from "node:http";
import https from "node:https";
import { finished } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { abortable, interruption } from "../../async/abort.ts";
import { faultOf, NetworkFault } from "./network-fault.ts";
import type { Agents } from "./proxy-agents.ts";
import type { Reply } from "./response-body.ts";

export interface RequestOptions {
  method?: string;
  headers?: Record<string, string>;
  /** A chunk may be used again once the next is asked for. */
  body?: string | AsyncIterable<Uint8Array>;
  signal?: AbortSignal;
  /** How long the connection may take to stand. Default 10 s. */
  connectMs?: number;
  /** How long nothing may move, in either direction. Default 30 s. */
  idleMs?: number;
  agents?: Agents;
}

/**
 * One HTTP request, streamed both ways; resolves when the status and headers are there. Redirects are not followed.
 * Rejects with NetworkFault, or with `interrupted` after an abort; the body then ends with the same error.
 */
export function request(url: URL, options: RequestOptions = {}): Promise<Reply> {
  const { signal, body, connectMs = 10_000, idleMs = 30_000 } = options;
  const secure = url.protocol === "https:";

  return abortable<Reply>((resolve, dispose, reject) => {
    const outgoing = (secure ? https : http).request(url, {
      method: options.method ?? "GET",
      headers: options.headers,
      agent: options.agents?.[secure ? "https:" : "http:"],
    });
    const connecting = setTimeout(
      () => outgoing.destroy(new NetworkFault(`no connection within ${connectMs / 1000} s`, "ETIMEDOUT")),
      connectMs,
    );
    const stands = () => clearTimeout(connecting);
    outgoing.on("socket", (socket) => {
      if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", stands);
      else stands();
    });
    outgoing.setTimeout(idleMs, () =>
      outgoing.destroy(new NetworkFault(`nothing came for ${idleMs / 1000} s`, "ETIMEDOUT")),
    );
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(connecting);
      const typed = error instanceof NetworkFault || error instanceof CrowdaiError;
      reject(typed ? error : faultOf(error));
    });
    const sending = new AbortController();
    outgoing.on("close", () => sending.abort());
    outgoing.on("response", (reply) => {
      stands();
      // What is answered before it was sent is refused: the rest of it need not go.
      if (!outgoing.writableEnded) finished(reply, () => outgoing.destroy());
      sending.abort();
      const abort = () => reply.destroy(interruption(signal!));
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      finished(reply, () => signal?.removeEventListener("abort", abort));
      resolve(reply);
    });
    if (signal) {
      const abort = () => outgoing.destroy(interruption(signal));
      signal.addEventListener("abort", abort, { once: true });
      dispose(() => signal.removeEventListener("abort", abort));
    }
    if (typeof body === "object")
      sendBody(outgoing, body, sending.signal).catch((error) => outgoing.destroy(error));
    else outgoing.end(body);
  }, signal);
}

/** Writes no chunk before the one before it is on its way, so that nothing piles up here. */
async function sendBody(
  outgoing: http.ClientRequest,
  body: AsyncIterable<Uint8Array>,
  stopped: AbortSignal,
): Promise<void> {
  for await (const chunk of body) {
    if (stopped.aborted) return;
    await new Promise<void>((written) => {
      const done = () => {
        stopped.removeEventListener("abort", done);
        written();
      };
      stopped.addEventListener("abort", done);
      // How a write failed is told by the request itself.
      outgoing.write(chunk, done);
    });
  }
  if (!stopped.aborted) outgoing.end();
}
