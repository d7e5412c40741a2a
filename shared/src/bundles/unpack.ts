import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { CrowdaiError } from "../protocol/errors.ts";
import { MOST_BYTES, MOST_FILES } from "./bundle-files.ts";

/**
 * Writes the files of an archive into `into`, a new folder. Throws config_invalid for anything but regular files with names
 * inside of it, and for more than a bundle may hold; what was written until then is left to the caller. When the archive
 * itself throws, so does this.
 */
export async function unpackBundle(archive: AsyncIterable<Uint8Array>, into: string): Promise<void> {
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
  const feeding = feed(whole(), decoder.writable);
  const writing = writeEntries(decoder.readable, into);
  const [fed, written] = await Promise.allSettled([feeding, writing]);
  if (broken.length > 0) throw broken[0];
  // A refusal of ours also ends the feeding, which then has nothing of its own to say.
  if (written.status === "rejected") throw unfit(written.reason);
  if (fed.status === "rejected") throw unfit(fed.reason);
}

async function feed(archive: AsyncIterable<Uint8Array>, decoder: WritableStream<Uint8Array>): Promise<void> {
  const source = Readable.from(archive);
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  source.pipe(gunzip);
  const writer = decoder.getWriter();
  // Told by the write that follows.
  writer.closed.catch(() => {});
  try {
    for await (const chunk of gunzip) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

async function writeEntries(entries: ReadableStream<ParsedTarEntry>, into: string): Promise<void> {
  let files = 0;
  let bytes = 0;
  for await (const { header, body } of entries) {
    files++;
    bytes += header.size;
    if (files > MOST_FILES || bytes > MOST_BYTES) throw refused("more than a bundle may hold");
    if (header.type !== "file") throw refused(`${JSON.stringify(header.name)}, which is no file`);
    if (!isInside(header.name)) throw refused(`the name ${JSON.stringify(header.name)}`);
    const path = join(into, header.name);
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    const isExecutable = ((header.mode ?? 0) & 0o111) !== 0;
    await using file = await open(path, "wx", isExecutable ? 0o755 : 0o644);
    for await (const chunk of body) await file.write(chunk);
  }
}

/** A plain relative path. The folder is new and nothing in it is a link, so such a name cannot lead out of it. */
function isInside(name: string): boolean {
  if (name.length > 1000 || /[\\\0]/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

const refused = (what: string) => new CrowdaiError("config_invalid", `The bundle holds ${what}.`);

function unfit(error: unknown): CrowdaiError {
  if (error instanceof CrowdaiError) return error;
  return new CrowdaiError("config_invalid", "The bundle cannot be unpacked.", { cause: error });
}
