import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { CrowdaiError, type Upload } from "@crowdai/shared";
import { BadAnswer, badAnswer, mayRepeat } from "./answer.ts";
import type { ByteSource } from "./byte-source.ts";
import { locate } from "./http.ts";
import { type Agents, NetworkFault, readText, request } from "./network.ts";
import { withRetries } from "./retry.ts";

const PARALLEL = 3;
/** The store may need a while to make the last bytes durable before it answers. */
const IDLE_MS = 120_000;

export interface UploadOptions {
  broker: URL;
  agents?: Agents;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
  /** How often a part is sent again after a network fault. Default 5. */
  retries?: number;
}

type Part = Upload["parts"][number];

/**
 * Sends the missing parts straight to the store, in constant memory. Throws store_unreachable, the store's own refusal, or
 * file_changed when the bytes sent are not those announced.
 */
export async function sendParts(upload: Upload, source: ByteSource, options: UploadOptions): Promise<void> {
  const missing = upload.parts.reduce((sum, part) => sum + part.size, 0);
  let done = source.size - missing;
  const moved = (bytes: number) => {
    done += bytes;
    options.onProgress?.(done, source.size);
  };
  moved(0);

  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const waiting = [...upload.parts];
  const worker = async () => {
    for (let part = waiting.shift(); part; part = waiting.shift())
      await sendPart(part, source, moved, { ...options, signal });
  };
  try {
    await Promise.all(Array.from({ length: Math.min(PARALLEL, waiting.length) }, worker));
  } catch (failure) {
    stop.abort();
    // Bytes that do not fit what was announced are the file's doing, if the file has changed.
    if (!options.signal?.aborted) await source.verify();
    throw failure;
  }
  await source.verify();
}

async function sendPart(
  part: Part,
  source: ByteSource,
  moved: (bytes: number) => void,
  options: UploadOptions,
) {
  const { signal, agents, retries = 5 } = options;
  const url = locate(options.broker, part.url);
  const isWhole = part.size === source.size;

  const once = async () => {
    const hash = createHash("sha256");
    let sent = 0;
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of source.read(part.offset, part.size) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        yield chunk;
        sent += chunk.length;
        moved(chunk.length);
      }
      if (isWhole && hash.digest("hex") !== source.sha256)
        throw new CrowdaiError("file_changed", `${source.name ?? "The input"} changed while it was read.`);
    }
    try {
      const headers = { ...part.headers, "content-length": String(part.size) };
      const body = Readable.from(counted(), { objectMode: false });
      const reply = await request(url, {
        method: part.method,
        headers,
        body,
        signal,
        agents,
        idleMs: IDLE_MS,
      });
      const text = await readText(reply, 1024 * 1024);
      if (reply.statusCode !== undefined && reply.statusCode >= 300) throw badAnswer(reply, text);
    } catch (failure) {
      moved(-sent);
      throw failure;
    }
  };

  try {
    await withRetries(once, mayRepeat, { signal, retries });
  } catch (failure) {
    throw explain(failure, url);
  }
}

/** Names a failure without the address, which is a secret: whoever has it may write. */
function explain(failure: unknown, url: URL): unknown {
  if (failure instanceof NetworkFault)
    return new CrowdaiError(
      "store_unreachable",
      `The object store at ${url.host} cannot be reached: ${failure.message}.`,
      {
        details: { store: url.host, cause: failure.code },
        cause: failure,
      },
    );
  if (!(failure instanceof BadAnswer)) return failure;
  if (failure.refusal) return failure.refusal;
  if (failure.status === 403)
    return new CrowdaiError("signature_invalid", "The object store refused the signed address.");
  if (failure.status === 413)
    return new CrowdaiError("file_too_large", "The object store says that the file is too large.");
  return new CrowdaiError(
    "store_unreachable",
    `The object store at ${url.host} answered ${failure.message}.`,
    {
      details: { store: url.host, status: failure.status },
    },
  );
}
