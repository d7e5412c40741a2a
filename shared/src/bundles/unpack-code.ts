import { mkdir, open, symlink } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { CrowdaiError } from "../protocol/errors.ts";

const MOST_ENTRIES = 400_000;
const MOST_BYTES = 4 * 1024 ** 3;

/**
 * Writes the files of a submission's code into `into`, a new folder: regular files, folders, and links that stay inside. A link that
 * leads out, and everything else, is left out. Throws digest_mismatch for an archive that no broker makes; when the archive itself
 * throws, so does this.
 */
export async function unpackCode(archive: AsyncIterable<Uint8Array>, into: string): Promise<void> {
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
  const [fed, written] = await Promise.allSettled([feeding, writeEntries(decoder.readable, into)]);
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

async function writeEntries(entries: ReadableStream<ParsedTarEntry>, into: string): Promise<void> {
  const links: { name: string; target: string }[] = [];
  let count = 0;
  let bytes = 0;
  for await (const { header, body } of entries) {
    const name = header.name.replace(/\/$/, "");
    count++;
    bytes += header.size;
    if (count > MOST_ENTRIES || bytes > MOST_BYTES) throw refused("more than code may hold");
    if (!isInside(name)) throw refused(`the name ${JSON.stringify(name)}`);
    if (header.type === "directory") await mkdir(join(into, name), { recursive: true, mode: 0o755 });
    else if (header.type === "symlink") links.push({ name, target: header.linkname ?? "" });
    if (header.type !== "file") {
      await body.cancel();
      continue;
    }
    const path = join(into, name);
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    const isExecutable = ((header.mode ?? 0) & 0o111) !== 0;
    await using file = await open(path, "wx", isExecutable ? 0o755 : 0o644);
    for await (const chunk of body) await file.write(chunk);
  }
  // Last, so that nothing is written through one.
  const all = new Set(links.map(({ name }) => name));
  for (const { name, target } of links) {
    if (!staysInside(name, target, all)) continue;
    await mkdir(dirname(join(into, name)), { recursive: true, mode: 0o755 });
    await symlink(target, join(into, name));
  }
}

/** A plain relative path. The folder is new and nothing in it is a link yet, so such a name cannot lead out of it. */
function isInside(name: string): boolean {
  if (name.length > 1000 || /[\\\0]/.test(name)) return false;
  return name.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** Whether the link leads to something inside, and over no other link, which could lead elsewhere. */
function staysInside(name: string, target: string, links: ReadonlySet<string>): boolean {
  if (target === "" || target.startsWith("/") || /[\\\0]/.test(target)) return false;
  const place = posix.join(posix.dirname(name), target).replace(/\/$/, "");
  if (place === ".." || place.startsWith("../")) return false;
  const parts = place.split("/");
  return !parts.slice(0, -1).some((_, index) => links.has(parts.slice(0, index + 1).join("/")));
}

const refused = (what: string) =>
  new CrowdaiError(
    "digest_mismatch",
    `The archive of the code holds ${what}; it is not what a broker makes.`,
  );
