import { Readable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { type Git, killGroup } from "../../background/git/git.ts";
import { FLUSH, packetLine } from "../../background/git/pkt-line.ts";

/** Limit for the list of objects that a client wants and has. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
const VERSION = /^version=[012]$/;

/**
 * Streams git's answer to a fetch: the refs when `body` is null, or else the requested objects. The process always ends with the
 * request.
 */
export async function uploadPack(
  git: Git,
  dir: string,
  request: { body: AsyncIterable<Uint8Array> | null; protocol: string | undefined; signal: AbortSignal },
): Promise<ReadableStream> {
  const { body, signal } = request;
  const protocol = VERSION.test(request.protocol ?? "") ? request.protocol : undefined;
  const asked = body ? await gather(body) : null;
  const args = ["upload-pack", "--strict", "--stateless-rpc", "--timeout=120"];
  const child = await git.start([...args, ...(asked ? [] : ["--http-backend-info-refs"]), dir], {
    dir,
    signal,
    ...(protocol && { env: { GIT_PROTOCOL: protocol } }),
  });
  child.stdin?.on("error", () => {});
  child.stdin?.end(asked ?? undefined);
  // Git reports its errors to the client in the answer itself.
  child.stderr?.resume();
  const output = child.stdout as Readable;

  async function* answer() {
    // Version 2 has its own first line.
    if (!asked && protocol !== "version=2")
      yield Buffer.concat([packetLine("# service=git-upload-pack\n"), FLUSH]);
    try {
      yield* output;
    } finally {
      killGroup(child);
    }
  }
  return Readable.toWeb(Readable.from(answer())) as ReadableStream;
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
