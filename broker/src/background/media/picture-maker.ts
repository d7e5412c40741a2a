import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { createSemaphore } from "../git/semaphore.ts";
import { DETECTION_BYTES, detectMediaType } from "./detect-media-type.ts";
import { makePicture } from "./make-image.ts";
import type { MediaPrograms } from "./media-tools.ts";

const CONCURRENCY = 2;
const MAX_WAITING = 20;

/** Makes pictures of profiles out of what participants send. */
export interface PictureMaker {
  /**
   * Returns a small WebP image with the visible content only. Throws usage when the file is not an image that
   * can be read.
   */
  make(file: Uint8Array): Promise<Buffer>;
  /** Aborts running work. */
  stop(): void;
}

/** Creates the maker. `folder` is this broker's own; leftovers of an earlier run are removed. */
export async function createPictureMaker(programs: MediaPrograms, folder: string): Promise<PictureMaker> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const stopping = new AbortController();
  const { signal } = stopping;
  const slots = createSemaphore(CONCURRENCY, {
    maxWaiting: MAX_WAITING,
    message: "Too many pictures are being processed.",
  });

  async function make(file: Uint8Array): Promise<Buffer> {
    const found = detectMediaType(file.subarray(0, DETECTION_BYTES));
    if (found?.kind !== "image")
      throw new CrowdaiError("usage", "The picture must be a PNG, JPEG, GIF, WebP or AVIF file.");
    const work = await mkdtemp(join(folder, "work-"));
    try {
      const input = join(work, "input");
      await writeFile(input, file);
      const made = await makePicture({ ...programs, folder: work }, input, found.format, signal);
      if (typeof made !== "string")
        throw new CrowdaiError("usage", `The picture cannot be used. ${made.reason}`);
      return await readFile(made);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  return {
    async make(file) {
      await slots.acquire(signal);
      try {
        return await make(file);
      } finally {
        slots.release();
      }
    },
    stop: () => stopping.abort(new CrowdaiError("interrupted")),
  };
}
