import { withRetries } from "../async/retry.ts";
import { request } from "../client/http/http-request.ts";
import { NetworkFault } from "../client/http/network-fault.ts";
import type { Agents } from "../client/http/proxy-agents.ts";
import { readText } from "../client/http/response-body.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { cut } from "./markdown.ts";

const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const MAX_RETRY_AFTER_MS = 20_000;

/** An answer that reports a failure or cannot be read. */
export class ApiError extends Error {
  readonly status: number;
  readonly retryAfterMs: number;
  constructor(message: string, status: number, retryAfterMs = 0) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface Api {
  /** Base address, such as https://api.github.com. No other host gets the headers. */
  base: URL;
  headers: Record<string, string>;
  /** Never shown, even if the server repeats it. */
  token: string;
  agents: Agents;
  signal: AbortSignal;
  /** Maximum time without any bytes, and for opening the connection. */
  idleMs: number;
}

/**
 * Sends a request below the base address and returns the JSON of the answer. Redirects are not followed.
 * Repeats what was not done; a POST only if the server refused it for now.
 */
export async function callApi(api: Api, method: string, path: string, body?: object): Promise<unknown> {
  const url = new URL(`${api.base.href.replace(/\/+$/, "")}${path}`);
  if (url.origin !== api.base.origin) throw new Error(`${path} leads to another host`);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers: Record<string, string> = { accept: "application/json", ...api.headers };
  if (text !== undefined) {
    headers["content-type"] = "application/json";
    headers["content-length"] = String(Buffer.byteLength(text));
  }
  const { agents, signal, idleMs } = api;
  const once = async () => {
    const reply = await request(url, {
      method,
      headers,
      body: text,
      signal,
      agents,
      idleMs,
      connectMs: idleMs,
    });
    const answer = await readText(reply, MAX_ANSWER_BYTES);
    const shown = answer.replaceAll(api.token, "…");
    return readAnswer(shown, reply.statusCode ?? 0, reply.headers["retry-after"]);
  };
  const policy = { signal, retries: 2, baseMs: Math.min(500, idleMs / 4) };
  return withRetries(once, (failure) => mayRepeat(failure, method), policy);
}

function readAnswer(text: string, status: number, retryAfter: string | undefined): unknown {
  const value = jsonOf(text);
  if (status >= 200 && status < 300) {
    if (value === undefined) throw new ApiError(`an answer that is not JSON (HTTP ${status})`, status);
    return value;
  }
  const { message, error } = (value ?? {}) as Record<string, unknown>;
  const why = [message, error].find((one) => typeof one === "string") as string | undefined;
  const ms = Number(retryAfter) * 1000;
  throw new ApiError(
    `HTTP ${status}${why ? `, ${cut(plainLine(why), 200)}` : ""}`,
    status,
    Number.isFinite(ms) && ms > 0 ? ms : 0,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function mayRepeat(failure: unknown, method: string): number | false {
  if (failure instanceof NetworkFault) return method === "POST" ? false : 0;
  if (!(failure instanceof ApiError) || failure.retryAfterMs > MAX_RETRY_AFTER_MS) return false;
  const { status, retryAfterMs } = failure;
  const isRefusedForNow = status === 429 || (status === 403 && retryAfterMs > 0);
  if (isRefusedForNow || (method !== "POST" && [408, 500, 502, 503, 504].includes(status)))
    return retryAfterMs;
  return false;
}
