import { createReadStream } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { createTarPacker, type TarPackController } from "modern-tar";
import { CrowdaiError } from "../protocol/errors.ts";
import type { BundleContents } from "./bundle-files.ts";

const EPOCH = new Date(0);

/**
 * Packs the files into one compressed archive without owners and times, so that equal files give equal
 * archives. Throws file_changed when the size of a file has changed.
 */
export function packBundle(contents: Pick<BundleContents, "files" | "links">): AsyncIterable<Uint8Array> {
  const { readable, controller } = createTarPacker();
  const gzip = createGzip();
  addAll(contents, controller).then(
    () => controller.finalize(),
    (error) => controller.error(error),
  );
  // An error reaches the reader of the archive, which then throws it.
  pipeline(Readable.fromWeb(readable as Parameters<typeof Readable.fromWeb>[0]), gzip, () => {});
  return gzip;
}

async function addAll(
  { files, links }: Pick<BundleContents, "files" | "links">,
  controller: TarPackController,
): Promise<void> {
  for (const { name, path, size, executable } of files) {
    const entry = controller.add({ name, size, mode: executable ? 0o755 : 0o644, mtime: EPOCH });
    const writer = entry.getWriter();
    let read = 0;
    for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
      read += chunk.length;
      if (read > size) break;
      await writer.write(chunk);
    }
    if (read !== size) throw new CrowdaiError("file_changed", `${name} changed while it was being read.`);
    await writer.close();
  }
  for (const { name, target } of links) {
    const base = { name, size: 0, mtime: EPOCH };
    const entry = controller.add(
      target === null
        ? { ...base, type: "directory", mode: 0o755 }
        : { ...base, type: "symlink", linkname: target, mode: 0o777 },
    );
    await entry.getWriter().close();
  }
}
