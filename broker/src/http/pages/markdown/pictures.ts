import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { detectMediaType } from "../../../background/media/detect-media-type.ts";
import type { ServedChallenge } from "../../../domain/challenges/catalog.ts";
import type { Needs } from "../../../domain/submissions/services.ts";
import { readImageSize } from "./image-size.ts";

type PublicFile = ServedChallenge["data"][number];

/** A picture of a description: a file of the challenge's public folder. */
export interface Picture {
  file: PublicFile;
  type: string;
  /** Pixels, where the file says them at its start. */
  size: { width: number; height: number } | null;
}

const MAX_PICTURE_BYTES = 20_000_000;
/** Enough for the sizes of JPEG files, which may be behind a preview. */
const HEAD_BYTES = 65_536;

/**
 * Returns the public file that an address in a description names, such as `plot.png` or
 * `public/plots/a%20b.png`.
 */
export function publicFileOf(data: readonly PublicFile[], address: string): PublicFile | null {
  if (/^[a-z][a-z0-9+.-]*:|^\/|[?#]/i.test(address)) return null;
  let name: string;
  try {
    name = decodeURIComponent(address);
  } catch {
    return null;
  }
  const plain = name.replace(/^(?:\.\/)+/, "");
  return (
    data.find((file) => file.name === plain) ??
    data.find((file) => file.name === plain.replace(/^public\//, "")) ??
    null
  );
}

/** Returns the picture of a file; null for what is not an image by its content, whatever its name. */
export async function readPicture({ objects }: Needs<"objects">, file: PublicFile): Promise<Picture | null> {
  if (file.size === 0 || file.size > MAX_PICTURE_BYTES) return null;
  const head = await readHead(file, objects);
  const found = detectMediaType(head);
  return found?.kind === "image" ? { file, type: found.type, size: readImageSize(head) } : null;
}

async function readHead(file: PublicFile, objects: Needs<"objects">["objects"]): Promise<Buffer> {
  const length = Math.min(HEAD_BYTES, file.size);
  if (!("path" in file)) return collect(await objects.get(file.key, { start: 0, end: length - 1 }));
  const handle = await open(file.path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function collect(stream: AsyncIterable<Uint8Array> | Readable): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}
