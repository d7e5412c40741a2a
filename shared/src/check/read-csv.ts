import { CrowdaiError } from "../protocol/errors.ts";
import { CsvFault, type CsvReader } from "./csv-reader.ts";
import { type FormatProblem, problemAt, problemOf } from "./format-problem.ts";

/** The bytes of a file, in pieces. */
export type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Reads UTF-8 bytes as CSV. Returns what makes them unreadable, or null. */
export async function readCsv(bytes: Bytes, reader: CsvReader): Promise<FormatProblem | null> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let read = 0;
  try {
    for await (const chunk of bytes) {
      if (read === 0 && isWide(chunk)) return problemOf("expected UTF-8 text, got UTF-16");
      reader.push(decode(decoder, chunk, read));
      read += chunk.length;
    }
    reader.push(decode(decoder, undefined, read));
    reader.end();
    return null;
  } catch (error) {
    if (error instanceof CsvFault) return problemAt(error.place, error.message);
    if (error instanceof NotText) return problemOf(error.message);
    throw error;
  }
}

class NotText extends Error {}

function decode(decoder: TextDecoder, chunk: Uint8Array | undefined, at: number): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const until = at + (chunk?.length ?? 0);
    throw new NotText(`expected UTF-8 text, got other bytes within the first ${until} bytes`);
  }
}

const isWide = (chunk: Uint8Array) =>
  (chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff);

/** Yields until the signal is aborted; throws its reason then. */
export async function* untilAborted(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    if (signal?.aborted) throw signal.reason ?? new CrowdaiError("interrupted");
    yield chunk;
  }
}
