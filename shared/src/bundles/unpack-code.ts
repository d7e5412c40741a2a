import { mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ParsedTarEntry } from "modern-tar";
import { CrowdaiError } from "../protocol/errors.ts";
import { linksInside } from "./links-inside.ts";
import { isInside, unpackEntries, writeFileEntry } from "./unpack-entries.ts";

const MAX_ENTRIES = 400_000;
const MAX_BYTES = 4 * 1024 ** 3;

/**
 * Writes the files of a submission's code into `into`, a new folder: regular files, folders, and links that
 * stay inside. Skips links that lead out and everything else. Throws digest_mismatch for an archive that no
 * broker creates, and rethrows an error of the archive itself.
 */
export function unpackCode(archive: AsyncIterable<Uint8Array>, into: string): Promise<void> {
  return unpackEntries(archive, (entries) => writeEntries(entries, into));
}

async function writeEntries(entries: ReadableStream<ParsedTarEntry>, into: string): Promise<void> {
  const links = new Map<string, string>();
  let count = 0;
  let bytes = 0;
  for await (const entry of entries) {
    const { header, body } = entry;
    const name = header.type === "directory" ? header.name.replace(/\/$/, "") : header.name;
    count++;
    bytes += header.size;
    if (count > MAX_ENTRIES || bytes > MAX_BYTES) throw refused("more files or bytes than code may have");
    if (!isInside(name)) throw refused(`the name ${JSON.stringify(name)}`);
    if (header.type === "directory") await mkdir(join(into, name), { recursive: true, mode: 0o755 });
    else if (header.type === "symlink") links.set(name, header.linkname ?? "");
    if (header.type === "file") await writeFileEntry(into, entry);
    else await body.cancel();
  }
  // Links come last, so that nothing is written through one.
  for (const [name, target] of linksInside(links)) {
    await mkdir(dirname(join(into, name)), { recursive: true, mode: 0o755 });
    await symlink(target, join(into, name));
  }
}

const refused = (what: string) =>
  new CrowdaiError("digest_mismatch", `The code archive contains ${what}, which no broker writes.`);
