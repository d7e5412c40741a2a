import { closeSync, openSync, writeSync } from "node:fs";
import { duration, type EncodedImage, fileHead, readImage, writeBlock } from "./matroska.ts";

const MAX_FRAMES = 20_000;
const MAX_BYTES = 256 * 1024 * 1024;

/** A video of the images that an environment sends, in their order. */
export interface Video {
  /**
   * Adds a PNG or JPEG image. One of another kind or size than the first is left out, and so is what is too
   * much.
   */
  add(image: Buffer): void;
  /** Returns the path of the file; null when there are no images. */
  close(): string | null;
}

export function createVideo(path: string, framesPerSecond: () => number): Video {
  let file: number | null = null;
  let first: EncodedImage | null = null;
  let frames = 0;
  let bytes = 0;
  let msPerFrame = 0;

  function write(data: Buffer, at = bytes): void {
    for (let done = 0; done < data.length; )
      done += writeSync(file!, data, done, data.length - done, at + done);
    bytes = Math.max(bytes, at + data.length);
  }

  return {
    add(data) {
      if (frames >= MAX_FRAMES || bytes + data.length > MAX_BYTES) return;
      const image = readImage(data);
      if (image === null) return;
      if (first === null) {
        first = image;
        msPerFrame = 1000 / framesPerSecond();
        file = openSync(path, "wx", 0o600);
        write(fileHead(image, msPerFrame));
      }
      const { type, width, height } = image;
      if (type !== first.type || width !== first.width || height !== first.height) return;
      write(writeBlock(data, Math.round(frames++ * msPerFrame)));
    },
    close() {
      if (file === null || first === null) return null;
      const { at, data } = duration(Math.round(frames * msPerFrame));
      write(data, at);
      closeSync(file);
      file = null;
      return path;
    },
  };
}
