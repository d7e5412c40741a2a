import { createReadStream } from "node:fs";
import { open, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { FLUSH, packetLine } from "../../background/git/pkt-line.ts";
import type { Repositories } from "../../background/repositories/repositories.ts";

/** Limit for the list of objects that a client wants and has. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** A slower client is cut off, after a while that is given to all. */
const SLOWEST = { bytesPerSecond: 8 * 1024, patienceMs: 60_000 };
const VERSION = /^version=[012]$/;

interface FetchRequest {
  body: AsyncIterable<Uint8Array> | null;
  protocol: string | undefined;
  signal: AbortSignal;
  ended: () => void;
  /** See GitRun. */
  reader: string;
  /** Default: SLOWEST. */
  slowest?: typeof SLOWEST;
}

/**
 * Writes git's answer to a fetch into a file, and returns it as a stream: the refs when `body` is null, or
 * else the requested objects. However slowly the client reads, git has ended by then. A client that reads
 * slower than SLOWEST is cut off. The file is removed, and `ended` called, when the stream ends or the
 * request is aborted; not when this throws.
 */
export async function uploadPack(
  { git, arriving }: Pick<Repositories, "git" | "arriving">,
  dir: string,
  request: FetchRequest,
): Promise<ReadableStream> {
  const { body, signal } = request;
  const protocol = VERSION.test(request.protocol ?? "") ? request.protocol : undefined;
  const asked = body ? await gather(body) : null;
  const folder = await arriving();
  const path = join(folder, "answer");
  try {
    {
      await using file = await open(path, "wx", 0o600);
      // Version 2 has its own first line.
      if (!asked && protocol !== "version=2")
        await file.write(Buffer.concat([packetLine("# service=git-upload-pack\n"), FLUSH]));
      const args = ["upload-pack", "--strict", "--stateless-rpc", "--timeout=120"];
      // Git reports its errors to the client in the answer itself.
      await git.run([...args, ...(asked ? [] : ["--http-backend-info-refs"]), dir], {
        dir,
        reader: request.reader,
        input: asked ?? "",
        into: file.fd,
        signal,
        ...(protocol && { env: { GIT_PROTOCOL: protocol } }),
      });
    }
    const { size } = await stat(path);
    return Readable.toWeb(streamOnce(path, size, request)) as ReadableStream;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Streams a file; in the end removes its folder. */
function streamOnce(
  path: string,
  size: number,
  { signal, ended, slowest = SLOWEST }: Pick<FetchRequest, "signal" | "ended" | "slowest">,
): Readable {
  const stream = createReadStream(path);
  const cut = () => stream.destroy();
  const timer = setTimeout(cut, slowest.patienceMs + (size / slowest.bytesPerSecond) * 1000);
  signal.addEventListener("abort", cut, { once: true });
  stream.on("error", () => {});
  stream.once("close", () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", cut);
    void rm(dirname(path), { recursive: true, force: true }).finally(ended);
  });
  if (signal.aborted) cut();
  return stream;
}

async function gather(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_REQUEST_BYTES)
      throw new CrowdaiError(
        "message_too_large",
        `A fetch request may have at most ${MAX_REQUEST_BYTES} bytes.`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
