import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Writable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { makeFolder } from "@crowdai/shared/make-folder";
import { withRetries } from "../../async/retry.ts";
import { request } from "./http-request.ts";
import {
  BadResponse,
  badResponse,
  foreignResponse,
  mayRepeat,
  notABroker,
  proxyError,
  unreachable,
} from "./http-response.ts";
import { NetworkFault } from "./network-fault.ts";
import type { Agents } from "./proxy-agents.ts";
import { bodyOf, type Reply, readText } from "./response-body.ts";

export interface DownloadOptions {
  /** A file, which appears only when it is complete, or a stream, which is not ended. */
  to: string | Writable;
  /** Expected size and digest. Other bytes are refused with digest_mismatch. */
  size?: number;
  sha256?: string;
  onProgress?: (done: number, total: number | null) => void;
  signal?: AbortSignal;
}

export interface Downloaded {
  size: number;
  sha256: string;
}

interface Route {
  broker: URL;
  key: string | null | undefined;
  client: string;
  agents?: Agents;
}

/**
 * Downloads an address to `to` and resumes after cut connections. Only the broker's own origin gets the key.
 */
export async function download(url: URL, options: DownloadOptions & Route): Promise<Downloaded> {
  if (typeof options.to !== "string") return receive(url, options.to, options);

  makeFolder(dirname(options.to));
  const temporary = `${options.to}.part-${process.pid}`;
  const file = createWriteStream(temporary);
  // A write that is under way when the download fails emits its own error, after the other listeners are
  // gone.
  file.on("error", () => {});
  try {
    const result = await receive(url, file, options);
    await new Promise<void>((resolve, reject) => file.once("error", reject).end(resolve));
    await rename(temporary, options.to);
    return result;
  } catch (failure) {
    // A pending write may fail now; its result is no longer needed.
    await new Promise((resolve) =>
      file
        .on("error", () => {})
        .once("close", resolve)
        .destroy(),
    );
    await rm(temporary, { force: true });
    throw failure;
  }
}

async function receive(url: URL, to: Writable, options: DownloadOptions & Route): Promise<Downloaded> {
  const hash = createHash("sha256");
  let done = 0;
  let broken: unknown;
  const noteBroken = (error: unknown) => {
    broken = error;
  };
  to.on("error", noteBroken);

  async function once(): Promise<void> {
    const { reply, total } = await open(url, done, options);
    for await (const chunk of bodyOf(reply)) {
      if (broken) throw broken;
      hash.update(chunk);
      done += chunk.length;
      if (!to.write(chunk)) await drained(to);
      options.onProgress?.(done, total ?? options.size ?? null);
    }
    if (total !== null && done < total)
      throw new NetworkFault("the connection was closed early", "ECONNRESET");
  }

  try {
    await withRetries(once, mayRepeat, { signal: options.signal, retries: 5 });
  } catch (failure) {
    if (failure instanceof BadResponse) throw failure.refusal ?? refusalOf(failure, url, options);
    throw failure instanceof NetworkFault ? unreachable(options.broker, failure) : failure;
  } finally {
    to.off("error", noteBroken);
  }
  if (broken) throw broken;

  const sha256 = hash.digest("hex");
  if ((options.size !== undefined && options.size !== done) || (options.sha256 && options.sha256 !== sha256))
    throw new CrowdaiError("digest_mismatch", undefined, {
      next: "Download it again.",
      details: { expected: { size: options.size, sha256: options.sha256 }, received: { size: done, sha256 } },
    });
  return { size: done, sha256 };
}

/** Requests the bytes from `from` on, following redirects. */
async function open(
  url: URL,
  from: number,
  options: DownloadOptions & Route,
): Promise<{ reply: Reply; total: number | null }> {
  let at = url;
  for (let hops = 0; hops < 5; hops++) {
    const headers: Record<string, string> = { "user-agent": options.client };
    if (options.key && at.origin === options.broker.origin) headers.authorization = `Bearer ${options.key}`;
    if (from > 0) headers.range = `bytes=${from}-`;
    const reply = await request(at, { headers, signal: options.signal, agents: options.agents });
    const status = reply.statusCode ?? 0;

    if (status >= 300 && status < 400 && reply.headers.location) {
      reply.resume();
      at = new URL(reply.headers.location, at);
      continue;
    }
    // Everything that is downloaded has a name; a page to sign in to a network has none.
    const isPage =
      reply.headers["content-type"]?.startsWith("text/html") && !reply.headers["content-disposition"];
    if (status === 200 && isPage) {
      reply.resume();
      throw foreignResponse(reply);
    }
    if (status === 206 || status === 200) {
      if (status === 200 && from > 0) await skip(reply, from);
      const length = reply.headers["content-length"];
      return { reply, total: length === undefined ? null : Number(length) + (status === 206 ? from : 0) };
    }
    throw badResponse(reply, await readText(reply, 64 * 1024));
  }
  throw new BadResponse("with too many redirects", 310, null);
}

/** The error for an answer without the bytes: another server's, or that of a proxy before the one asked. */
function refusalOf(failure: BadResponse, url: URL, { broker }: Route): CrowdaiError {
  if (failure.proxy === null || failure.status === 404) return notABroker(broker, failure.message);
  const server = `the server at ${url.host}`;
  return proxyError(failure, { server, away: "broker_unreachable", details: { server: url.host } });
}

/** Skips the bytes that are already stored, for a server that does not support ranges. */
async function skip(reply: Reply, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; ) {
    const chunk = reply.read() as Buffer | null;
    if (chunk) {
      if (chunk.length > left) reply.unshift(chunk.subarray(left));
      left -= chunk.length;
    } else if (reply.readableEnded) return;
    else
      await new Promise((resolve, reject) => {
        reply.once("readable", resolve).once("end", resolve).once("error", reject);
      });
  }
}

function drained(to: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    if (to.destroyed) return reject(to.errored ?? new Error("the output was closed"));
    const off = () => {
      to.off("drain", ok);
      to.off("error", no);
      to.off("close", no);
    };
    const ok = () => {
      off();
      resolve();
    };
    const no = (error?: unknown) => {
      off();
      reject(error ?? new Error("the output was closed"));
    };
    to.once("drain", ok).once("error", no).once("close", no);
  });
}
