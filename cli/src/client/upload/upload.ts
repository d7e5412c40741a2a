import { CrowdaiError, type Upload } from "@crowdai/shared";
import { withRetries } from "../../async/retry.ts";
import { locate } from "../http/broker-address.ts";
import { request } from "../http/http-request.ts";
import { BadResponse, mayRepeat } from "../http/http-response.ts";
import type { Agents } from "../http/proxy-agents.ts";
import { readText } from "../http/response-body.ts";
import type { ByteSource } from "./byte-source.ts";
import { explainStoreFailure, isStored, storeResponse } from "./store-response.ts";

const PARALLEL = 4;
/** Before it answers, the store may need some time to make the last bytes durable. */
const IDLE_MS = 120_000;
/** A part is not started within this time before its address expires; it waits for a new address. */
const MARGIN_MS = 30_000;
/** How often a part may arrive with other bytes than were sent. */
const MAX_MISMATCHES = 2;

export interface UploadOptions {
  broker: URL;
  agents?: Agents;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
  /** Number of retries per part after network faults. Default 10. */
  retries?: number;
}

type Part = Upload["parts"][number];

/**
 * Sends missing parts to the object store in constant memory. Returns whether all parts are stored: not every
 * missing part may have an address, and addresses may expire. Throws store_unreachable, the store's own
 * refusal, or file_changed if the bytes may differ from those announced.
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
  const expires = Date.parse(upload.expires_at) - MARGIN_MS;
  const worker = async () => {
    for (let part = waiting.shift(); part; part = waiting.shift()) {
      await sendPart(part, source, moved, { ...options, signal });
      // Checked after a part, not before: with a wrong local clock, every part would seem to be too late.
      if (Date.now() > expires) return;
    }
  };
  const workers = Array.from({ length: Math.min(PARALLEL, waiting.length) }, worker);
  try {
    await Promise.all(workers);
  } catch (failure) {
    stop.abort();
    await Promise.allSettled(workers);
    // A changed file explains a digest mismatch better than the mismatch itself.
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
      if (!isStored(reply, text)) throw storeResponse(reply, text);
    } catch (failure) {
      moved(-sent);
      throw failure;
    }
  };
  const retryAfter = (failure: unknown) => {
    const isMismatch = failure instanceof BadResponse && failure.refusal?.code === "digest_mismatch";
    // The bytes changed in transit. A change in the file is reported by `verify`.
    if (isMismatch) return mismatches++ < MAX_MISMATCHES ? 0 : false;
    return mayRepeat(failure);
  };

  try {
    await withRetries(once, retryAfter, { signal, retries });
  } catch (failure) {
    throw withPart(explainStoreFailure(failure, url), part);
  }
}

/** Adds the part and its byte range to a digest mismatch. */
function withPart(failure: unknown, { number, offset, size }: Part): unknown {
  if (!(failure instanceof CrowdaiError) || failure.code !== "digest_mismatch") return failure;
  return new CrowdaiError(
    "digest_mismatch",
    `Part ${number} (bytes ${offset} to ${offset + size - 1}) arrived with a different digest than announced.`,
    { details: { ...failure.details, part: number, offset, size }, cause: failure },
  );
}
