import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";

/**
 * Has `write` take the entries of a tar archive. Throws what the archive throws, if it does, else what `write` refuses, else what is
 * wrong with the tar.
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
  // A refusal of ours also ends the feeding, which then has nothing of its own to say.
  if (written.status === "rejected") throw written.reason;
  if (fed.status === "rejected") throw fed.reason;
}

async function feed(archive: AsyncIterable<Uint8Array>, decoder: WritableStream<Uint8Array>): Promise<void> {
  const writer = decoder.getWriter();
  // Told by the write that follows.
  writer.closed.catch(() => {});
  try {
    for await (const chunk of archive) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}

/** Writes an entry that is a file. */
export async function writeFileEntry(into: string, { header, body }: ParsedTarEntry): Promise<void> {
  const path = join(into, header.name);
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const isExecutable = ((header.mode ?? 0) & 0o111) !== 0;
  await using file = await open(path, "wx", isExecutable ? 0o755 : 0o644);
  for await (const chunk of body) await file.write(chunk);
}

/** A plain relative path. In a new folder, with nothing in it that is a link, such a name cannot lead out of it. */
export function isInside(name: string): boolean {
  if (name.length > 1000 || /[\\\0]/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
