import { lookup as resolveName } from "node:dns/promises";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { isPublicAddress } from "../../base/public-address.ts";

/** How much of an answer is read; only its status counts. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** Why a receiver did not take a message. The text contains no address, which may contain a secret. */
export class NotTaken extends Error {
  override readonly name = "NotTaken";
  /** The status of the answer; null when there was none. */
  readonly status: number | null;

  constructor(reason: string, status: number | null = null) {
    super(reason);
    this.status = status;
  }
}

export interface Address {
  address: string;
  family: number;
}

export interface PostOptions {
  /** Names and addresses that may be private, in lower case. */
  hosts: ReadonlySet<string>;
  timeoutMs: number;
  signal: AbortSignal;
  /** Resolves a name; the system's resolver by default. */
  resolve?: ((name: string) => Promise<Address[]>) | undefined;
}

/**
 * Sends a message to a webhook. Follows no redirect, and connects only to an address that it has checked: a
 * public one, unless the host is listed. Throws NotTaken unless the answer's status is 2xx.
 */
export async function postMessage(
  url: string,
  headers: Record<string, string>,
  body: string,
  { hosts, timeoutMs, signal, resolve = resolveAll }: PostOptions,
): Promise<void> {
  const target = new URL(url);
  const host = target.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const isListed = hosts.has(host);
  if (target.protocol === "http:" && !isListed)
    throw new NotTaken("its address starts with http://, which only hosts in WEBHOOK_HOSTS may");
  const timeout = AbortSignal.timeout(timeoutMs);
  const ending = AbortSignal.any([signal, timeout]);
  try {
    const found = await within(ending, isIP(host) ? Promise.resolve([plain(host)]) : resolve(host));
    const at = isListed ? found[0] : found.find(({ address }) => isPublicAddress(address));
    if (!at) throw new NotTaken("its host has no public address, and is not in WEBHOOK_HOSTS");
    const status = await send(target, at, headers, body, ending);
    if (status < 200 || status > 299)
      throw new NotTaken(
        status >= 300 && status < 400 ? `it redirects (${status})` : `it answered ${status}`,
        status,
      );
  } catch (error) {
    if (error instanceof NotTaken) throw error;
    throw new NotTaken(timeout.aborted ? `it did not answer within ${timeoutMs / 1000} s` : reasonOf(error));
  }
}

const plain = (address: string): Address => ({ address, family: isIP(address) });

const resolveAll = (name: string): Promise<Address[]> => resolveName(name, { all: true });

function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason as Error);
  signal.addEventListener("abort", stop, { once: true });
  return Promise.race([work, promise]).finally(() => signal.removeEventListener("abort", stop));
}

/** Resolves to the status of the answer, whose body is read to a limit and dropped. */
function send(
  target: URL,
  at: Address,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let status: number | null = null;
  // Once the status has arrived, an answer that breaks off or never ends is an answer.
  const failed = (error: Error) => (status === null ? reject(error) : resolve(status));
  const request = (target.protocol === "https:" ? requestHttps : requestHttp)(
    target,
    {
      method: "POST",
      headers: { ...headers, "content-length": String(Buffer.byteLength(body)), connection: "close" },
      agent: false,
      signal,
      // The name is not resolved again: it may have another address by now.
      lookup: (_name, options, found) =>
        options.all ? found(null, [at]) : found(null, at.address, at.family),
    },
    (answer) => {
      const taken = answer.statusCode ?? 0;
      status = taken;
      let read = 0;
      const end = () => {
        resolve(taken);
        request.destroy();
      };
      answer.on("data", (chunk: Buffer) => {
        read += chunk.length;
        if (read > MAX_ANSWER_BYTES) end();
      });
      answer.on("end", end);
      answer.on("error", failed);
      answer.on("close", end);
    },
  );
  request.on("error", failed);
  request.end(body);
  return promise;
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `its host cannot be resolved (${code})`;
  return typeof code === "string" ? `the connection failed (${code})` : "the connection failed";
}
