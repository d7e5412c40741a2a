import { mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { ParsedTarEntry } from "modern-tar";
import { challengeConfigSchema } from "../challenge-folder/challenge-config.ts";
import { CONFIG_FILE } from "../challenge-folder/load-challenge-folder.ts";
import { CrowdaiError } from "../protocol/errors.ts";
import { MAX_BYTES, MAX_FILES } from "./bundle-files.ts";
import { imagePaths, leadsOutOfImage } from "./image-links.ts";
import { isInside, unpackEntries, writeFileEntry } from "./unpack-entries.ts";

/**
 * Writes the files of an archive into `into`, a new folder. Throws config_invalid for entries other than
 * regular files inside the folder, and folders and inward links of the challenge's images, and above the
 * limits of a bundle; the caller removes what was written until then. Rethrows an error of the archive
 * itself.
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
  const folders: string[] = [];
  const links = new Map<string, string>();
  let files = 0;
  let bytes = 0;
  for await (const entry of entries) {
    const { header } = entry;
    files++;
    bytes += header.size;
    if (files > MAX_FILES || bytes > MAX_BYTES) throw refused("more files or bytes than a bundle may have");
    const name = header.type === "directory" ? header.name.replace(/\/$/, "") : header.name;
    if (!isInside(name)) throw refused(`the name ${JSON.stringify(name)}`);
    if (header.type === "file") await writeFileEntry(into, entry);
    else {
      if (header.type === "directory") folders.push(name);
      else if (header.type === "symlink") links.set(name, header.linkname ?? "");
      else throw refused(`${JSON.stringify(name)}, which is not a file`);
      await entry.body.cancel();
    }
  }
  await writeImages(into, folders, links);
}

/** Links come last, so that nothing is written through one. */
async function writeImages(
  into: string,
  folders: readonly string[],
  links: ReadonlyMap<string, string>,
): Promise<void> {
  if (folders.length + links.size === 0) return;
  const images = await imagesOf(into);
  const imageOf = (name: string) => {
    const image = images.find((path) => name.startsWith(path));
    if (image === undefined) throw refused(`${JSON.stringify(name)}, which is not a file`);
    return image;
  };
  for (const name of folders) {
    imageOf(name);
    await mkdir(join(into, name), { recursive: true, mode: 0o755 });
  }
  const byImage = Map.groupBy(links, ([name]) => imageOf(name));
  for (const [image, own] of byImage) {
    const inside = new Map(own.map(([name, target]) => [name.slice(image.length), target]));
    for (const [name, target] of inside) {
      const isBelowLink = name
        .split("/")
        .some((_, at, parts) => at > 0 && inside.has(parts.slice(0, at).join("/")));
      if (target === "" || target.includes("\0") || isBelowLink || leadsOutOfImage(name, inside))
        throw refused(`${JSON.stringify(image + name)}, a link that leads out of its image`);
    }
  }
  for (const [name, target] of links) {
    await mkdir(dirname(join(into, name)), { recursive: true, mode: 0o755 });
    await symlink(target, join(into, name));
  }
}

/** The configuration is verified later, with all files. */
async function imagesOf(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, CONFIG_FILE), "utf8").catch(() => "null");
  const { success, data } = challengeConfigSchema.safeParse(JSON.parse(text));
  return success ? imagePaths(data) : [];
}

const refused = (what: string) => new CrowdaiError("config_invalid", `The bundle contains ${what}.`);
