import { CrowdaiError, stringifyExact } from "@crowdai/shared";
import type { z } from "zod";
import { withRetries } from "../../async/retry.ts";
import { locate, parseBroker, type Query, shownAddress } from "./broker-address.ts";
import { type Downloaded, type DownloadOptions, download } from "./download.ts";
import { request } from "./http-request.ts";
import {
  BadResponse,
  mayRepeat,
  notABroker,
  proxyError,
  readResponse,
  unreachable,
} from "./http-response.ts";
import { askBroker } from "./is-broker.ts";
import { isHttp, NetworkFault } from "./network-fault.ts";
import { notUnderstood } from "./not-understood.ts";
import type { Agents } from "./proxy-agents.ts";
import { readText } from "./response-body.ts";

export interface HttpClientOptions {
  /** Address of the broker, such as http://localhost:8420, with or without a path. */
  broker: string | URL;
  /** Returns the API key, or nothing for requests without one. Called before each request. */
  key?: () => Promise<string | null | undefined> | string | null | undefined;
  /** Version of this client, sent as User-Agent. */
  client: string;
  signal?: AbortSignal;
  /** From proxyAgents(env), if a proxy is used. */
  agents?: Agents;
  connectMs?: number;
  idleMs?: number;
  /**
   * No retry starts later than this after the first attempt, so that long timeouts do not add up. Default 25
   * s.
   */
  repeatMs?: number;
}

/**
 * The broker's HTTP API. Paths start at the broker's root, such as "/api/v1/me". Every failure is a
 * CrowdaiError: the broker's own refusal, broker_unreachable if there is no answer, not_a_broker if another
 * server answers.
 */
export interface HttpClient {
  readonly broker: URL;
  /** Sends GET. Retries after network faults and after 408, 425, 429, 500, 502, 503 and 504. */
  get<T>(path: string, schema: z.ZodType<T>, query?: Query, signal?: AbortSignal): Promise<T>;
  /**
   * Sends POST, once; with `repeatable`, retries as `get` does, because the broker recognizes a repetition by
   * its id.
   */
  post<T>(
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
    options?: { repeatable?: boolean; signal?: AbortSignal },
  ): Promise<T>;
  /**
   * Sends a request that may be repeated, retrying as `get` does; bytes as they are, anything else as JSON.
   */
  send<T>(
    method: "PATCH" | "PUT" | "DELETE",
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
    signal?: AbortSignal,
  ): Promise<T>;
  /**
   * Downloads an address (absolute, or a path at the broker) to a file or stream. Only the broker gets the
   * key.
   */
  download(address: string, options: DownloadOptions): Promise<Downloaded>;
}

interface Exchange {
  method: string;
  query?: Query;
  body?: unknown;
  repeatable: boolean;
  signal?: AbortSignal;
}

/** Returns a client for a broker. Throws usage if its address is not an http(s) URL. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const broker = parseBroker(options.broker);
  const { connectMs, idleMs, repeatMs = 25_000, agents } = options;

  async function exchange<T>(path: string, schema: z.ZodType<T>, asked: Exchange): Promise<T> {
    const url = locate(broker, path, asked.query);
    const bytes = asked.body instanceof Uint8Array ? asked.body : null;
    const text = bytes || asked.body === undefined ? undefined : stringifyExact(asked.body);
    const signal = asked.signal ?? options.signal;
    const key = await options.key?.();
    const headers: Record<string, string> = { accept: "application/json", "user-agent": options.client };
    if (key) headers.authorization = `Bearer ${key}`;
    if (bytes || text !== undefined) {
      headers["content-type"] = bytes ? "application/octet-stream" : "application/json";
      headers["content-length"] = String(bytes?.length ?? Buffer.byteLength(text ?? ""));
    }
    const once = async () => {
      const reply = await request(url, {
        method: asked.method,
        headers,
        body: bytes ? streamed(bytes) : text,
        signal,
        agents,
        connectMs,
        idleMs,
      });
      return readResponse(reply, await readText(reply), schema);
    };
    try {
      return await withRetries(once, (failure) => asked.repeatable && mayRepeat(failure), {
        signal,
        withinMs: repeatMs,
      });
    } catch (failure) {
      throw await explain(failure, signal);
    }
  }

  /** Turns a failure into a CrowdaiError. Asks for /healthz if it is unclear what kind of server answered. */
  async function explain(failure: unknown, signal?: AbortSignal): Promise<unknown> {
    if (failure instanceof BadResponse && failure.refusal) return failure.refusal;
    if (failure instanceof NetworkFault)
      return isHttp(failure)
        ? unreachable(broker, failure)
        : notABroker(broker, "with something other than HTTP");
    if (!(failure instanceof BadResponse)) return failure;
    if (failure.proxy !== null && [407, 429, 502, 503, 504, 511].includes(failure.status))
      return ofProxy(failure);
    const found = await askBroker(broker, { signal, agents, connectMs, idleMs });
    if (!found) return notABroker(broker, failure.message);
    if (failure.proxy !== null) return ofProxy(failure);
    if (failure.status >= 500)
      return new CrowdaiError(
        "broker_unreachable",
        `The broker at ${shownAddress(broker)} answered ${failure.message}.`,
      );
    const problem = failure.field === null ? failure.message : `${failure.message} at ${failure.field}`;
    return notUnderstood(problem, { broker: found.version, client: options.client });
  }

  const ofProxy = (failure: BadResponse) =>
    proxyError(failure, {
      server: `the broker at ${shownAddress(broker)}`,
      away: "broker_unreachable",
      details: { broker: shownAddress(broker) },
    });

  return {
    broker,
    get: (path, schema, query, signal) =>
      exchange(path, schema, { method: "GET", query, signal, repeatable: true }),
    post: (path, body, schema, { repeatable = false, signal } = {}) =>
      exchange(path, schema, { method: "POST", body: body ?? {}, repeatable, signal }),
    send: (method, path, body, schema, signal) =>
      exchange(path, schema, { method, body, repeatable: true, signal }),
    download: async (address, how) =>
      download(locate(broker, address), {
        signal: options.signal,
        ...how,
        broker,
        key: await options.key?.(),
        client: options.client,
        agents,
      }),
  };
}

async function* streamed(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
