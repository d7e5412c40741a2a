import { CrowdaiError } from "../protocol/errors.ts";
import { CsvFault, type CsvReader } from "./csv-reader.ts";
import { type FormatProblem, problemAt, problemOf } from "./format-problem.ts";
import { createUtf8Splitter } from "./utf8.ts";

/** The bytes of a file, in pieces. */
export type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** Reads UTF-8 bytes as CSV. Returns what makes them unreadable, or null. */
export async function readCsv(bytes: Bytes, reader: CsvReader): Promise<FormatProblem | null> {
  const splitter = createUtf8Splitter();
  const take = ({ text, isValid }: { text: string; isValid: boolean }) => {
    reader.push(text);
    if (!isValid) throw new CsvFault("expected UTF-8 text, got other bytes", reader.place());
  };
  let isFirst = true;
  try {
    for await (const chunk of bytes) {
      if (isFirst && isWide(chunk)) return problemOf("expected UTF-8 text, got UTF-16");
      isFirst = false;
      take(splitter.push(chunk));
    }
    take(splitter.end());
    reader.end();
    return null;
  } catch (error) {
    if (error instanceof CsvFault) return problemAt(error.place, error.message);
    throw error;
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
