// Runs as a process of its own: an image that exhausts memory ends only this process. It takes one task as
// its argument and prints one line of JSON. It imports nothing of the broker, so that it starts fast.
import sharp, { type Sharp } from "sharp";
import type { Box, ImageAnswer, ImageTask } from "./image-task.ts";

/** The loader of each accepted format; everything else that sharp can read stays blocked. */
const LOADERS = {
  png: "VipsForeignLoadPngFile",
  jpeg: "VipsForeignLoadJpegFile",
  gif: "VipsForeignLoadNsgifFile",
  webp: "VipsForeignLoadWebpFile",
  avif: "VipsForeignLoadHeifFile",
};

/** The output format of an image that is not animated. */
const STILL = { png: "png", jpeg: "jpeg", gif: "png", webp: "webp", avif: "webp" } as const;

sharp.concurrency(1);
sharp.cache(false);
sharp.block({ operation: ["VipsForeignLoad"] });

const task = JSON.parse(process.argv[2] as string) as ImageTask;
process.stdout.write(`${JSON.stringify(await answer(task))}\n`);

async function answer(task: ImageTask): Promise<ImageAnswer> {
  try {
    if (task.make === "placeholder") return await placeholder(task);
    return await image(task);
  } catch (error) {
    const detail = (error as Error).message;
    return {
      ok: false,
      why: /exceeds (?:pixel|dimension)|too large|pixel limit/i.test(detail) ? "pixels" : "broken",
      detail,
    };
  }
}

async function image({
  input,
  format,
  large,
  thumbnail,
  maxPixels,
}: Extract<ImageTask, { make: "image" }>): Promise<ImageAnswer> {
  sharp.unblock({ operation: [LOADERS[format]] });
  const open = (all: boolean) =>
    sharp(input, { limitInputPixels: maxPixels, failOn: "error", animated: all, sequentialRead: true });
  const found = await open(true).metadata();
  if ((found.format as string) !== (format === "avif" ? "heif" : format))
    return { ok: false, why: "broken", detail: `it reads as ${found.format}` };
  const frames = found.pages ?? 1;
  // Checked again over all frames, because all of them are held in memory.
  if (found.width * (found.pageHeight ?? found.height) * frames > maxPixels)
    return { ok: false, why: "pixels", detail: `${found.width} x ${found.height}, ${frames} frames` };

  const isAnimated = frames > 1 && (format === "gif" || format === "webp");
  let type = null;
  if (large) {
    const fitted = fit(isAnimated ? open(true) : open(false).autoOrient(), large.box);
    type = isAnimated ? format : STILL[format];
    await encode(fitted, type).toFile(large.path);
  }
  if (thumbnail)
    await fit(open(false).autoOrient(), thumbnail.box).webp({ quality: 80 }).toFile(thumbnail.path);
  return { ok: true, format: type };
}

function fit(source: Sharp, { width, height }: Box): Sharp {
  return source.resize({ width, height, fit: "inside", withoutEnlargement: true });
}

function encode(source: Sharp, format: "png" | "jpeg" | "gif" | "webp"): Sharp {
  switch (format) {
    case "jpeg":
      return source.jpeg({ quality: 85 });
    case "webp":
      return source.webp({ quality: 85 });
    case "gif":
      return source.gif({ effort: 3 });
    case "png":
      return source.png({ compressionLevel: 7 });
  }
}

/** Draws a plain image for a file that cannot be read: a triangle for video, bars for audio. */
async function placeholder({
  shape,
  thumbnail,
}: Extract<ImageTask, { make: "placeholder" }>): Promise<ImageAnswer> {
  const { width, height } = thumbnail.box;
  const pixels = Buffer.alloc(width * height * 3, 0x2b);
  const bars = [0.3, 0.7, 0.5, 1, 0.6, 0.8, 0.35];
  const [left, side] = [width / 2 - height / 4, height / 2];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [across, from] = [(x - left) / side, Math.abs(y - height / 2) / (height / 4)];
      const bar = across * bars.length;
      const isDrawn =
        across >= 0 &&
        across < 1 &&
        (shape === "video" ? from < 1 - across : bar % 1 < 0.6 && from < (bars[Math.floor(bar)] as number));
      if (isDrawn) pixels.fill(0xd8, (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .webp({ quality: 80 })
    .toFile(thumbnail.path);
  return { ok: true, format: null };
}
