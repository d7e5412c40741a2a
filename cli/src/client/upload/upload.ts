import { CrowdaiError, type Upload } from "@crowdai/shared";
import { withRetries } from "../../async/retry.ts";
import { locate } from "../http/broker-address.ts";
import { request } from "../http/http-request.ts";
import { BadResponse, mayRepeat } from "../http/http-response.ts";
import type { Agents } from "../http/proxy-agents.ts";
import { readText } from "../http/response-body.ts";
import type { ByteSource } from "./byte-source.ts";
import { explainStoreFailure, storeResponse } from "./store-response.ts";

const PARALLEL = 4;
/** The store may need a while to make the last bytes durable before it answers. */
const IDLE_MS = 120_000;
/** What has not begun so long before its address ends waits for a new one. */
const MARGIN_MS = 30_000;
/** How often other bytes than were sent may arrive. */
const MAX_MISMATCHES = 2;

export interface UploadOptions {
  broker: URL;
  agents?: Agents;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
  /** How often a part is sent again after a network fault. Default 10. */
  retries?: number;
}

type Part = Upload["parts"][number];

/**
 * Sends missing parts straight to the store, in constant memory, and returns whether none is left: more may be missing than have
 * addresses, and addresses may end. Throws store_unreachable, the store's own refusal, or file_changed when the bytes may no
 * longer be those announced.
 */
export async function sendParts(
  upload: Upload,
  source: ByteSource,
  options: UploadOptions,
): Promise<boolean> {
  const bytes = upload.missing?.bytes ?? upload.parts.reduce((sum, part) => sum + part.size, 0);
  let done = source.size - bytes;
  const moved = (more: number) => {
    done += more;
    options.onProgress?.(done, source.size);
  };
  moved(0);

  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const waiting = [...upload.parts];
  const ends = Date.parse(upload.expires_at) - MARGIN_MS;
  const worker = async () => {
    for (let part = waiting.shift(); part; part = waiting.shift()) {
      await sendPart(part, source, moved, { ...options, signal });
      // Asked after a part, not before: with a clock that is wrong each would seem too late.
      if (Date.now() > ends) return;
    }
  };
  const workers = Array.from({ length: Math.min(PARALLEL, waiting.length) }, worker);
  try {
    await Promise.all(workers);
  } catch (failure) {
    stop.abort();
    await Promise.allSettled(workers);
    // Bytes that do not fit what was announced are the file's doing, if the file has changed.
    if (!options.signal?.aborted) await source.verify();
    throw failure;
  }
  await source.verify();
  return waiting.length === 0 && (upload.missing?.parts ?? upload.parts.length) === upload.parts.length;
}

async function sendPart(
  part: Part,
  source: ByteSource,
  moved: (bytes: number) => void,
  options: UploadOptions,
): Promise<void> {
  const { signal, agents, retries = 10 } = options;
  const url = locate(options.broker, part.url);
  let mismatches = 0;

  const once = async () => {
    let sent = 0;
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of source.read(part.offset, part.size)) {
        yield chunk;
        sent += chunk.length;
        moved(chunk.length);
      }
    }
    try {
      const headers = { ...part.headers, "content-length": String(part.size) };
      const reply = await request(url, {
        method: part.method,
        headers,
        body: counted(),
        signal,
        agents,
        idleMs: IDLE_MS,
      });
      const text = await readText(reply, 1024 * 1024);
      if (reply.statusCode !== undefined && reply.statusCode >= 300) throw storeResponse(reply, text);
    } catch (failure) {
      moved(-sent);
      throw failure;
    }
  };
  const again = (failure: unknown) => {
    const isMismatch = failure instanceof BadResponse && failure.refusal?.code === "digest_mismatch";
    // Bytes that changed on the way. Those that changed in the file are told when it is looked at.
    if (isMismatch) return mismatches++ < MAX_MISMATCHES ? 0 : false;
    return mayRepeat(failure);
  };

  try {
    await withRetries(once, again, { signal, retries });
  } catch (failure) {
    throw named(explainStoreFailure(failure, url), part);
  }
}

/** Which bytes of the file it was. */
function named(failure: unknown, { number, offset, size }: Part): unknown {
  if (!(failure instanceof CrowdaiError) || failure.code !== "digest_mismatch") return failure;
  return new CrowdaiError(
    "digest_mismatch",
    `Part ${number} (bytes ${offset} to ${offset + size - 1}) arrived as other bytes than were announced.`,
    { details: { ...failure.details, part: number, offset, size }, cause: failure },
  );
}
