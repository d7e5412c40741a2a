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

/** The picture in `input`, decoded and written anew: nothing of its bytes but what is seen goes on. */
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
      make: "picture",
      input,
      format,
      large: { path: large, box: MEDIA_LIMITS.large },
      thumbnail: { path: thumbnail, box: MEDIA_LIMITS.thumbnail },
      mostPixels: MEDIA_LIMITS.picturePixels,
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

/** Only the thumbnail of a picture that was made here, of a film or sound. */
export async function makeThumbnail(
  tools: MediaTools,
  input: string,
  signal: AbortSignal,
): Promise<string | DroppedMedia> {
  const path = join(tools.folder, "thumbnail");
  const thumbnail = { path, box: MEDIA_LIMITS.thumbnail };
  const mostPixels = MEDIA_LIMITS.filmPixels;
  const answer = await askWorker(
    tools,
    { make: "picture", input, format: "png", large: null, thumbnail, mostPixels },
    signal,
  );
  return answer.ok ? path : answer;
}

/** A plain picture in place of one that nobody here can make. */
export async function makePlaceholder(
  tools: MediaTools,
  shape: "film" | "sound",
  signal: AbortSignal,
): Promise<string> {
  const path = join(tools.folder, "thumbnail");
  const thumbnail = { path, box: MEDIA_LIMITS.thumbnail };
  const answer = await askWorker(tools, { make: "placeholder", shape, thumbnail }, signal);
  if (!answer.ok) throw new Error(`no placeholder: ${answer.detail}`);
  return path;
}

async function askWorker(
  tools: MediaTools,
  task: ImageTask,
  signal: AbortSignal,
): Promise<Extract<ImageAnswer, { ok: true }> | DroppedMedia> {
  const { code, stdout, stderr } = await runLimited(
    [process.execPath, workerPath(), JSON.stringify(task)],
    { ...tools, cwd: tools.folder, ...limits, timeoutMs: MEDIA_LIMITS.pictureMs },
    signal,
  );
  if (code === null) return droppedMedia(EXHAUSTED, stderr);
  const line = stdout.trim();
  // It answers whatever the picture is, so without an answer the fault is this machine's.
  if (code !== 0 || line === "") throw new Error(`the process for pictures ended with ${code}: ${stderr}`);
  const answer = answerSchema.parse(JSON.parse(line));
  if (answer.ok) return answer;
  if (answer.why === "pixels") {
    const most = MEDIA_LIMITS.picturePixels / 1e6;
    return droppedMedia(`It has more than ${most} million pixels, over all its frames.`, answer.detail);
  }
  const what = task.make === "picture" ? task.format.toUpperCase() : task.shape;
  return broken(what, answer.detail);
}

const limits = { memory: MEDIA_LIMITS.memory, fileSize: MEDIA_LIMITS.bytes.image };

/** Beside this file; in the built package beside the bundle. */
function workerPath(): string {
  const here = import.meta.url;
  const name = here.endsWith(".ts") ? "./image.worker.ts" : "./image.worker.js";
  return fileURLToPath(new URL(name, here));
}
