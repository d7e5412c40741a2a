import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { ParsedTarEntry } from "modern-tar";
import { CrowdaiError } from "../protocol/errors.ts";
import { MAX_BYTES, MAX_FILES } from "./bundle-files.ts";
import { isInside, unpackEntries, writeFileEntry } from "./unpack-entries.ts";

/**
 * Writes the files of an archive into `into`, a new folder. Throws config_invalid for entries other than regular files inside
 * the folder, and above the limits of a bundle; the caller removes what was written until then. Rethrows an error of the
 * archive itself.
 */
export async function unpackBundle(archive: AsyncIterable<Uint8Array>, into: string): Promise<void> {
  const broken: unknown[] = [];
  const unzipped = gunzipped(archive, (error) => broken.push(error));
  try {
    await unpackEntries(unzipped, (entries) => writeEntries(entries, into));
  } catch (error) {
    if (broken.length > 0) throw broken[0];
    if (error instanceof CrowdaiError) throw error;
    throw new CrowdaiError("config_invalid", "The bundle cannot be unpacked.", { cause: error });
  }
}

async function* gunzipped(
  archive: AsyncIterable<Uint8Array>,
  onBroken: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(archive);
  const gunzip = createGunzip();
  source.on("error", (error) => {
    onBroken(error);
    gunzip.destroy(error);
  });
  source.pipe(gunzip);
  try {
    yield* gunzip;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

async function writeEntries(entries: ReadableStream<ParsedTarEntry>, into: string): Promise<void> {
  let files = 0;
  let bytes = 0;
  for await (const entry of entries) {
    const { header } = entry;
    files++;
    bytes += header.size;
    if (files > MAX_FILES || bytes > MAX_BYTES) throw refused("more files or bytes than a bundle may have");
    if (header.type !== "file") throw refused(`${JSON.stringify(header.name)}, which is not a file`);
    if (!isInside(header.name)) throw refused(`the name ${JSON.stringify(header.name)}`);
    await writeFileEntry(into, entry);
  }
}

const refused = (what: string) => new CrowdaiError("config_invalid", `The bundle contains ${what}.`);
