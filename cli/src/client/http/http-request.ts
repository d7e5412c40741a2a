import http from "node:http";
import https from "node:https";
import { finished } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { abortable, interruption } from "../../async/abort.ts";

export type Reply = http.IncomingMessage;

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

export interface Agents {
  "http:": http.Agent;
  "https:": https.Agent;
}

/** The other side was not reached, or went away in the middle. `code` is the system's word for it, as ECONNREFUSED. */
export class NetworkFault extends Error {
  override readonly name = "NetworkFault";
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];

/**
 * Connections that go through the proxy the environment names (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), or undefined
 * when it names none. The runtime does it; Node.js before 24.5 cannot and connects directly.
 */
export function proxyAgents(env: Readonly<Record<string, string | undefined>>): Agents | undefined {
  if (!PROXY_VARIABLES.some((name) => env[name])) return undefined;
  const options = { keepAlive: true, proxyEnv: env };
  return { "http:": new http.Agent(options), "https:": new https.Agent(options) };
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
    const fault = (message: string, code: string, cause?: unknown) => new NetworkFault(message, code, cause);

    const connecting = setTimeout(
      () => outgoing.destroy(fault(`no connection within ${connectMs / 1000} s`, "ETIMEDOUT")),
      connectMs,
    );
    const stands = () => clearTimeout(connecting);
    outgoing.on("socket", (socket) => {
      if (socket.connecting) socket.once(secure ? "secureConnect" : "connect", stands);
      else stands();
    });
    outgoing.setTimeout(idleMs, () =>
      outgoing.destroy(fault(`nothing came for ${idleMs / 1000} s`, "ETIMEDOUT")),
    );
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(connecting);
      const typed = error instanceof NetworkFault || error instanceof CrowdaiError;
      reject(typed ? error : fault(describe(error), error.code ?? "EIO", error));
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

/** The body as it comes. Throws NetworkFault when it breaks off. */
export async function* bodyOf(reply: Reply): AsyncGenerator<Buffer> {
  try {
    yield* reply as AsyncIterable<Buffer>;
  } catch (error) {
    if (error instanceof CrowdaiError || error instanceof NetworkFault) throw error;
    const { code = "ECONNRESET" } = error as NodeJS.ErrnoException;
    throw new NetworkFault("the connection was cut", code, error);
  }
}

/** The whole body as text, at most `limit` bytes of it. */
export async function readText(reply: Reply, limit = 64 * 1024 * 1024): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(reply)) {
    size += chunk.length;
    if (size > limit) throw new NetworkFault(`the answer is larger than ${limit} bytes`, "EMSGSIZE");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function describe(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "nothing listens there";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the name cannot be resolved";
    case "ECONNRESET":
    case "EPIPE":
      return "the connection was cut";
    default:
      return error.message || error.code || "the connection failed";
  }
}
