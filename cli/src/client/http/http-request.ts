import { channel } from "node:diagnostics_channel";
import type http from "node:http";
import { finished } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { abortable, interruption } from "../../async/abort.ts";
import { faultOf, NetworkFault } from "./network-fault.ts";
import type { Agents } from "./proxy-agents.ts";
import type { Reply } from "./response-body.ts";

/** Reports each request, for --debug (terminal/request-trace.ts). */
const requests = channel("crowdai:request");

export interface RequestOptions {
  method?: string;
  headers?: Record<string, string>;
  /** The buffer of a chunk may be reused once the next chunk is requested. */
  body?: string | AsyncIterable<Uint8Array>;
  signal?: AbortSignal;
  /** Time limit for opening the connection. Default 10 s. */
  connectMs?: number;
  /**
   * Maximum time without any bytes in either direction. Default 30 s. Status and headers may take twice as
   * long once the request is sent, however steadily their bytes arrive.
   */
  idleMs?: number;
  agents?: Agents;
}

/**
 * Sends one HTTP request and resolves once status and headers have arrived. Both bodies are streamed;
 * redirects are not followed. Rejects with NetworkFault, or with `interrupted` after an abort; the body then
 * ends with the same error.
 */
export function request(url: URL, options: RequestOptions = {}): Promise<Reply> {
  const { signal, body, connectMs = 10_000, idleMs = 30_000 } = options;
  const secure = url.protocol === "https:";

  return abortable<Reply>((resolve, dispose, reject) => {
    // TLS takes longer to load than a request without it.
    const { request: start } = process.getBuiltinModule(secure ? "node:https" : "node:http");
    const outgoing = start(url, {
      method: options.method ?? "GET",
      headers: options.headers,
      agent: options.agents?.(url),
    });
    const began = performance.now();
    const publish = (reply?: Reply) => {
      if (!requests.hasSubscribers) return;
      const { statusCode: status = null, headers = {} } = reply ?? {};
      const requestId = headers["x-request-id"] ?? null;
      const ms = performance.now() - began;
      requests.publish({ method: options.method ?? "GET", url: url.href, status, ms, requestId });
    };
    const connecting = setTimeout(
      () => outgoing.destroy(new NetworkFault(`no connection within ${connectMs / 1000} s`, "ETIMEDOUT")),
      connectMs,
    );
    const connected = () => clearTimeout(connecting);
    outgoing.on("socket", (socket) => {
      if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", connected);
      else connected();
    });
    let answering: NodeJS.Timeout | undefined;
    outgoing.once("finish", () => {
      const tooSlow = () => outgoing.destroy(new NetworkFault("the answer arrives too slowly", "ETIMEDOUT"));
      answering = setTimeout(tooSlow, 2 * idleMs);
    });
    outgoing.once("close", () => clearTimeout(answering));
    outgoing.setTimeout(idleMs, () =>
      outgoing.destroy(new NetworkFault(`no data for ${idleMs / 1000} s`, "ETIMEDOUT")),
    );
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(connecting);
      publish();
      const typed = error instanceof NetworkFault || error instanceof CrowdaiError;
      reject(typed ? error : faultOf(error));
    });
    const sending = new AbortController();
    outgoing.on("close", () => sending.abort());
    outgoing.on("response", (reply) => {
      publish(reply);
      connected();
      clearTimeout(answering);
      // An answer before the end of the request body is a refusal: the rest of the body is not needed.
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

/** Writes each chunk only after the previous one was flushed, so that no chunks pile up in memory. */
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
      // The request itself reports a failed write.
      outgoing.write(chunk, done);
    });
  }
  if (!stopped.aborted) outgoing.end();
}
