import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { StoredFile } from "@crowdai/shared";
import type { ObjectStore } from "@crowdai/shared/objects";
import { DETECTION_BYTES, detectMediaType } from "./detect-media-type.ts";
import { makeImage } from "./make-image.ts";
import { makeVideoOrAudio } from "./make-video.ts";
import { MEDIA_LIMITS } from "./media-limits.ts";
import { type DroppedMedia, droppedMedia, type MadeMedia } from "./media-result.ts";
import type { MediaTools } from "./media-tools.ts";

const ACCEPTED = "PNG, JPEG, GIF, WebP, AVIF, MP4, WebM, Ogg, WAV, MP3 or FLAC";

/**
 * Makes a file that an evaluator stored ready to be shown. Its content decides on the type, not its name.
 * Throws only for faults of the broker.
 */
export async function makeMedia(
  tools: MediaTools,
  objects: Pick<ObjectStore, "get">,
  source: StoredFile,
  signal: AbortSignal,
): Promise<MadeMedia | DroppedMedia> {
  if (source.size === 0) return droppedMedia("The file is empty.");
  const most = Math.max(...Object.values(MEDIA_LIMITS.bytes));
  if (source.size > most) return tooLarge(source.size, most);
  const found = detectMediaType(await readHead(objects, source));
  if (!found) return droppedMedia(`It is not a ${ACCEPTED} file.`, `named ${source.name}`);
  if (source.size > MEDIA_LIMITS.bytes[found.kind])
    return tooLarge(source.size, MEDIA_LIMITS.bytes[found.kind]);
  const input = join(tools.folder, "input");
  await pipeline(await objects.get(source.key), createWriteStream(input), { signal });
  return found.kind === "image"
    ? makeImage(tools, input, found.format, signal)
    : makeVideoOrAudio(tools, input, found, signal);
}

/** Reads the first bytes of an object, which identify its type. */
export async function readHead(
  objects: Pick<ObjectStore, "get">,
  { key, size }: { key: string; size: number },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const range = { start: 0, end: Math.min(DETECTION_BYTES, size) - 1 };
  for await (const chunk of await objects.get(key, range)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function tooLarge(size: number, most: number): DroppedMedia {
  return droppedMedia(`It has ${size} bytes; the limit for its type is ${most}.`);
}

/** Reads the bytes of a file that was made here. */
export async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  yield* file.createReadStream({ highWaterMark: 256 * 1024 });
}
