import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { ImageAnswer, ImageFormat, ImageTask } from "./image-task.ts";
import { runLimited } from "./limited-process.ts";
import { MEDIA_LIMITS } from "./media-limits.ts";
import { broken, type DroppedMedia, droppedMedia, EXHAUSTED, type MadeMedia } from "./media-result.ts";
import type { MediaTools } from "./media-tools.ts";

const answerSchema: z.ZodType<ImageAnswer> = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), format: z.enum(["png", "jpeg", "gif", "webp"]).nullable() }),
  z.object({ ok: z.literal(false), why: z.enum(["broken", "pixels"]), detail: z.string() }),
]);

/** Decodes and re-encodes the image in `input`, so that only its visible content is left. */
export async function makeImage(
  tools: MediaTools,
  input: string,
  format: ImageFormat,
  signal: AbortSignal,
): Promise<MadeMedia | DroppedMedia> {
  const [large, thumbnail] = [join(tools.folder, "large"), join(tools.folder, "thumbnail")];
  const answer = await askWorker(
    tools,
    {
      make: "image",
      input,
      format,
      large: { path: large, box: MEDIA_LIMITS.large },
      thumbnail: { path: thumbnail, box: MEDIA_LIMITS.thumbnail },
      maxPixels: MEDIA_LIMITS.imagePixels,
    },
    signal,
  );
  if (!answer.ok) return answer;
  const extension = answer.format === "jpeg" ? "jpg" : (answer.format as string);
  return {
    ok: true,
    kind: "image",
    type: `image/${answer.format}`,
    extension,
    large,
    thumbnail,
    preview: null,
  };
}

/** Makes only the thumbnail, of an image that the broker made of a video or audio file. */
export const makeThumbnail = (tools: MediaTools, input: string, signal: AbortSignal) =>
  makeSmallImage(tools, { input, format: "png", box: "thumbnail", maxPixels: "videoPixels" }, signal);

/** Makes the picture of a profile: a small image with nothing but what is visible. */
export const makePicture = (tools: MediaTools, input: string, format: ImageFormat, signal: AbortSignal) =>
  makeSmallImage(tools, { input, format, box: "picture", maxPixels: "imagePixels" }, signal);

interface SmallImage {
  input: string;
  format: ImageFormat;
  box: "thumbnail" | "picture";
  maxPixels: "videoPixels" | "imagePixels";
}

/** Returns the path of the image, or why there is none. */
async function makeSmallImage(
  tools: MediaTools,
  { input, format, box, maxPixels }: SmallImage,
  signal: AbortSignal,
): Promise<string | DroppedMedia> {
  const path = join(tools.folder, "thumbnail");
  const thumbnail = { path, box: MEDIA_LIMITS[box] };
  const answer = await askWorker(
    tools,
    { make: "image", input, format, large: null, thumbnail, maxPixels: MEDIA_LIMITS[maxPixels] },
    signal,
  );
  return answer.ok ? path : answer;
}

/** Makes a plain image for a file of which no image can be made. */
export async function makePlaceholder(
  tools: MediaTools,
  shape: "video" | "audio",
  signal: AbortSignal,
): Promise<string> {
  const path = join(tools.folder, "thumbnail");
  const thumbnail = { path, box: MEDIA_LIMITS.thumbnail };
  const answer = await askWorker(tools, { make: "placeholder", shape, thumbnail }, signal);
  if (!answer.ok) throw new Error(`placeholder failed: ${answer.detail}`);
  return path;
}

async function askWorker(
  tools: MediaTools,
  task: ImageTask,
  signal: AbortSignal,
): Promise<Extract<ImageAnswer, { ok: true }> | DroppedMedia> {
  const { code, stdout, stderr } = await runLimited(
    [process.execPath, workerPath(), JSON.stringify(task)],
    { ...tools, cwd: tools.folder, ...limits, timeoutMs: MEDIA_LIMITS.imageMs },
    signal,
  );
  if (code === null) return droppedMedia(EXHAUSTED, stderr);
  const line = stdout.trim();
  // The process answers for every image, so a missing answer is this machine's fault.
  if (code !== 0 || line === "") throw new Error(`the image process exited with ${code}: ${stderr}`);
  const answer = answerSchema.parse(JSON.parse(line));
  if (answer.ok) return answer;
  if (answer.why === "pixels") {
    const most = MEDIA_LIMITS.imagePixels / 1e6;
    return droppedMedia(`It has more than ${most} million pixels in all its frames.`, answer.detail);
  }
  const what = task.make === "image" ? task.format.toUpperCase() : task.shape;
  return broken(what, answer.detail);
}

const limits = { memory: MEDIA_LIMITS.memory, fileSize: MEDIA_LIMITS.bytes.image };

/** Next to this file; in the built package next to the bundle. */
function workerPath(): string {
  const here = import.meta.url;
  const name = here.endsWith(".ts") ? "./image.worker.ts" : "./image.worker.js";
  return fileURLToPath(new URL(name, here));
}
