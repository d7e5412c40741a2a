import { mkdir, symlink } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import type { ParsedTarEntry } from "modern-tar";
import { CrowdaiError } from "../protocol/errors.ts";
import { isInside, unpackEntries, writeFileEntry } from "./unpack-entries.ts";

const MAX_ENTRIES = 400_000;
const MAX_BYTES = 4 * 1024 ** 3;

/**
 * Writes the files of a submission's code into `into`, a new folder: regular files, folders, and links that stay inside. Skips
 * links that lead out and everything else. Throws digest_mismatch for an archive that no broker creates, and rethrows an error
 * of the archive itself.
 */
export function unpackCode(archive: AsyncIterable<Uint8Array>, into: string): Promise<void> {
  return unpackEntries(archive, (entries) => writeEntries(entries, into));
}

async function writeEntries(entries: ReadableStream<ParsedTarEntry>, into: string): Promise<void> {
  const links: { name: string; target: string }[] = [];
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
    else if (header.type === "symlink") links.push({ name, target: header.linkname ?? "" });
    if (header.type === "file") await writeFileEntry(into, entry);
    else await body.cancel();
  }
  // Links come last, so that nothing is written through one.
  const all = new Set(links.map(({ name }) => name));
  for (const { name, target } of links) {
    if (!staysInside(name, target, all)) continue;
    await mkdir(dirname(join(into, name)), { recursive: true, mode: 0o755 });
    await symlink(target, join(into, name));
  }
}

/** Returns whether the link's target is inside, and not reached through another link, which could lead elsewhere. */
function staysInside(name: string, target: string, links: ReadonlySet<string>): boolean {
  if (target === "" || target.startsWith("/") || /[\\\0]/.test(target)) return false;
  const place = posix.join(posix.dirname(name), target).replace(/\/$/, "");
  if (place === ".." || place.startsWith("../")) return false;
  const parts = place.split("/");
  return !parts.slice(0, -1).some((_, index) => links.has(parts.slice(0, index + 1).join("/")));
}

const refused = (what: string) =>
  new CrowdaiError("digest_mismatch", `The code archive contains ${what}, which no broker writes.`);
