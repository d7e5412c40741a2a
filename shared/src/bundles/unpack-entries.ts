import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";

/**
 * Passes the entries of a tar archive to `write`. Throws the error of the archive, or else of `write`, or
 * else of the tar format.
 */
export async function unpackEntries(
  archive: AsyncIterable<Uint8Array>,
  write: (entries: ReadableStream<ParsedTarEntry>) => Promise<void>,
): Promise<void> {
  const decoder = createTarDecoder({ strict: true });
  const broken: unknown[] = [];
  const whole = async function* () {
    try {
      yield* archive;
    } catch (error) {
      broken.push(error);
      throw error;
    }
  };
  const [fed, written] = await Promise.allSettled([feed(whole(), decoder.writable), write(decoder.readable)]);
  if (broken.length > 0) throw broken[0];
  // An error of `write` also aborts the feed, whose own error is then meaningless.
  if (written.status === "rejected") throw written.reason;
  if (fed.status === "rejected") throw fed.reason;
}

async function feed(archive: AsyncIterable<Uint8Array>, decoder: WritableStream<Uint8Array>): Promise<void> {
  const writer = decoder.getWriter();
  // The next write reports it.
  writer.closed.catch(() => {});
  try {
    for await (const chunk of archive) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}

/** Writes a file entry below `into`. */
export async function writeFileEntry(into: string, { header, body }: ParsedTarEntry): Promise<void> {
  const path = join(into, header.name);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const isExecutable = ((header.mode ?? 0) & 0o111) !== 0;
  await using file = await open(path, "wx", isExecutable ? 0o755 : 0o644);
  for await (const chunk of body) await file.write(chunk);
}

/**
 * Returns whether the name is a plain relative path, which cannot lead out of a new folder that contains no
 * links.
 */
export function isInside(name: string): boolean {
  if (name.length > 1000 || /[\\\0]/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
