import { CrowdaiError } from "@crowdai/shared";
import type { z } from "zod";
import { withRetries } from "../../async/retry.ts";
import { locate, parseBroker, type Query } from "./broker-address.ts";
import { type Downloaded, type DownloadOptions, download } from "./download.ts";
import { request } from "./http-request.ts";
import { BadResponse, mayRepeat, notABroker, readResponse, unreachable } from "./http-response.ts";
import { isBroker } from "./is-broker.ts";
import { isHttp, NetworkFault } from "./network-fault.ts";
import type { Agents } from "./proxy-agents.ts";
import { readText } from "./response-body.ts";

export interface HttpClientOptions {
  /** Address of the broker, as http://localhost:8420; a path in it is kept. Throws usage when it is no http(s) URL. */
  broker: string | URL;
  /** The API key, or nothing to go without one. Asked before each request. */
  key?: () => Promise<string | null | undefined> | string | null | undefined;
  /** Version of this client, sent as User-Agent. */
  client: string;
  signal?: AbortSignal;
  /** From proxyAgents(env), when a proxy is to be used. */
  agents?: Agents;
  connectMs?: number;
  idleMs?: number;
  /** For how long after the first try a failed one is repeated, so that long silences do not add up. Default 25 s. */
  repeatMs?: number;
}

/**
 * The broker over HTTP. Paths begin at the broker's root, as "/api/v1/me". Every failure is a CrowdaiError: the
 * broker's own refusal, broker_unreachable when nobody answers, not_a_broker when something else does.
 */
export interface HttpClient {
  readonly broker: URL;
  /** Retried after network faults and 408, 425, 429 and 5xx, as reading changes nothing. */
  get<T>(path: string, schema: z.ZodType<T>, query?: Query, signal?: AbortSignal): Promise<T>;
  /** Sent once, unless `repeatable` says that the broker knows a repetition by its id. */
  post<T>(
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
    options?: { repeatable?: boolean; signal?: AbortSignal },
  ): Promise<T>;
  /** Streams an address (absolute or a path of the broker) into a file or stream. Only the broker sees the key. */
  download(address: string, options: DownloadOptions): Promise<Downloaded>;
}

interface Exchange {
  method: string;
  query?: Query;
  body?: unknown;
  repeatable: boolean;
  signal?: AbortSignal;
}

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const broker = parseBroker(options.broker);
  const { connectMs, idleMs, repeatMs = 25_000, agents } = options;

  async function exchange<T>(path: string, schema: z.ZodType<T>, asked: Exchange): Promise<T> {
    const url = locate(broker, path, asked.query);
    const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
    const signal = asked.signal ?? options.signal;
    const key = await options.key?.();
    const headers: Record<string, string> = { accept: "application/json", "user-agent": options.client };
    if (key) headers.authorization = `Bearer ${key}`;
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = String(Buffer.byteLength(body));
    }
    const once = async () => {
      const reply = await request(url, {
        method: asked.method,
        headers,
        body,
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

  /** Names what went wrong on the way; when in doubt who answered, asks. */
  async function explain(failure: unknown, signal?: AbortSignal): Promise<unknown> {
    if (failure instanceof BadResponse && failure.refusal) return failure.refusal;
    if (failure instanceof NetworkFault)
      return isHttp(failure)
        ? unreachable(broker, failure)
        : notABroker(broker, "with something that is no HTTP");
    if (!(failure instanceof BadResponse)) return failure;
    if (!(await isBroker(broker, { signal, agents, connectMs, idleMs })))
      return notABroker(broker, failure.message);
    if (failure.status >= 500)
      return new CrowdaiError(
        "broker_unreachable",
        `The broker at ${broker.origin} answered ${failure.message}.`,
      );
    return new CrowdaiError("unexpected", `The broker's answer is not understood: ${failure.message}.`, {
      next: "A newer client may be needed: compare `crowdai --version` with the broker's.",
    });
  }

  return {
    broker,
    get: (path, schema, query, signal) =>
      exchange(path, schema, { method: "GET", query, signal, repeatable: true }),
    post: (path, body, schema, { repeatable = false, signal } = {}) =>
      exchange(path, schema, { method: "POST", body: body ?? {}, repeatable, signal }),
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
