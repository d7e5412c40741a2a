import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CrowdaiError } from "@crowdai/shared";
import { throwIfAborted } from "../../async/abort.ts";
import { type FileFacts, inspectFile } from "../../client/upload/byte-source.ts";
import { writing } from "../../config/file-unwritable.ts";

export interface Spooled extends AsyncDisposable {
  facts: FileFacts;
}

/**
 * Writes a stream of at most `maxBytes` to a private temporary file named `name`, which lasts until it is
 * disposed of. Throws file_empty and file_too_large.
 */
export async function spool(
  input: Readable,
  { name, maxBytes, signal }: { name: string; maxBytes: number; signal: AbortSignal },
): Promise<Spooled> {
  const folder = await writing(tmpdir(), () => mkdtemp(join(tmpdir(), "crowdai-")));
  const remove = () => rm(folder, { recursive: true, force: true });
  const path = join(folder, name);
  try {
    await writing(path, () =>
      pipeline(input, limit(maxBytes), createWriteStream(path, { mode: 0o600 }), { signal }),
    );
    return { facts: await inspectFile(path), [Symbol.asyncDispose]: remove };
  } catch (failure) {
    await remove();
    throwIfAborted(signal);
    if (failure instanceof CrowdaiError && failure.code === "file_empty")
      throw new CrowdaiError("file_empty", "Standard input is empty.");
    throw failure;
  }
}

function limit(maxBytes: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size <= maxBytes) return done(null, chunk);
      done(
        new CrowdaiError("file_too_large", `Standard input is larger than the limit of ${maxBytes} bytes.`, {
          details: { max_bytes: maxBytes },
        }),
      );
    },
  });
}
