import { join } from "node:path";
import type { DetectedMedia } from "./detect-media-type.ts";
import { convert, type Probed, probe } from "./ffmpeg.ts";
import type { ChildEnd } from "./limited-process.ts";
import { makePlaceholder, makeThumbnail } from "./make-image.ts";
import { MEDIA_LIMITS } from "./media-limits.ts";
import { broken, type DroppedMedia, droppedMedia, EXHAUSTED, type MadeMedia } from "./media-result.ts";
import type { MediaTools } from "./media-tools.ts";

type Source = Extract<DetectedMedia, { kind: "video" | "audio" }>;

const even = ({ width, height }: { width: number; height: number }) =>
  `scale=w=min(iw\\,${width}):h=min(ih\\,${height}):force_original_aspect_ratio=decrease:force_divisible_by=2`;
const H264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4"];

/**
 * Makes a video or audio file ready to be shown. Streams that browsers play are copied into a new container;
 * other videos are encoded as H.264. Without ffmpeg the file is stored as it is, unread.
 */
export async function makeVideoOrAudio(
  tools: MediaTools,
  input: string,
  source: Source,
  signal: AbortSignal,
): Promise<MadeMedia | DroppedMedia> {
  const { kind, type, extension, demuxer } = source;
  if (!tools.ffmpeg) {
    const thumbnail = await makePlaceholder(tools, kind, signal);
    return { ok: true, kind, type, extension, large: input, thumbnail, preview: null };
  }
  const found = await probe(tools, input, demuxer, signal);
  if ("code" in found) return failure(source, found);
  if (found.video) return makeVideo(tools, input, source, found, signal);
  if (found.audio) return makeAudio(tools, input, source, signal);
  return broken(NAMES[demuxer], "it contains neither video nor audio");
}

async function makeVideo(
  tools: MediaTools,
  input: string,
  source: Source,
  found: Probed,
  signal: AbortSignal,
): Promise<MadeMedia | DroppedMedia> {
  const video = found.video as NonNullable<Probed["video"]>;
  if (video.width * video.height > MEDIA_LIMITS.videoPixels)
    return droppedMedia(
      "It has more pixels than a video may have (4096 x 2304).",
      `${video.width} x ${video.height}`,
    );
  const at = (name: string) => join(tools.folder, name);
  const from = { from: input, demuxer: source.demuxer };

  const start = Math.min(1, found.duration / 3).toFixed(3);
  const still = ["-map", "0:v:0", "-frames:v", "1", "-vf", even({ width: 1280, height: 720 }), "-c:v", "png"];
  const poster = await convert(
    tools,
    {
      ...from,
      to: at("poster.png"),
      before: ["-ss", start],
      after: [...still, "-f", "image2", "-update", "1"],
    },
    signal,
  );
  if (poster.code !== 0) return failure(source, poster);
  const thumbnail = await makeThumbnail(tools, at("poster.png"), signal);
  if (typeof thumbnail !== "string") return thumbnail;

  const streams = ["-map", "0:v:0", "-map", "0:a:0?"];
  const container = playableContainer(found);
  const large = await convert(
    tools,
    {
      ...from,
      to: at("large"),
      after: container
        ? [
            ...streams,
            "-c",
            "copy",
            ...(container === "mp4" ? ["-movflags", "+faststart"] : []),
            "-f",
            container,
          ]
        : [
            ...streams,
            "-vf",
            even(MEDIA_LIMITS.video),
            "-preset",
            "veryfast",
            "-crf",
            "23",
            "-c:a",
            "aac",
            "-ac",
            "2",
            ...H264,
          ],
    },
    signal,
  );
  if (large.code !== 0) return failure(source, large);

  const fit = `fps=15,${even(MEDIA_LIMITS.thumbnail)}`;
  const short = ["-map", "0:v:0", "-an", "-t", String(MEDIA_LIMITS.previewSeconds), "-vf", fit];
  const preview = await convert(
    tools,
    { ...from, to: at("preview"), after: [...short, "-preset", "veryfast", "-crf", "30", ...H264] },
    signal,
  );
  const extension = container === "webm" ? "webm" : "mp4";
  return {
    ok: true,
    kind: "video",
    type: `video/${extension}`,
    extension,
    large: at("large"),
    thumbnail,
    preview: preview.code === 0 ? at("preview") : null,
  };
}

/**
 * Returns the container in which every browser plays the streams as they are; null when they must be encoded.
 */
function playableContainer({ video, audio }: Probed): "mp4" | "webm" | null {
  const isUsual = video?.pixels === "yuv420p" || video?.pixels === "yuvj420p";
  const isAudio = (...codecs: string[]) => audio === null || codecs.includes(audio);
  if (!video || !isUsual) return null;
  if (video.codec === "h264" && isAudio("aac", "mp3")) return "mp4";
  return ["vp8", "vp9", "av1"].includes(video.codec) && isAudio("opus", "vorbis") ? "webm" : null;
}

/** The output format for each audio input. */
const AUDIO_OUTPUTS = {
  mov: { muxer: "ipod", type: "audio/mp4", extension: "m4a" },
  matroska: { muxer: "ogg", type: "audio/ogg", extension: "ogg" },
  ogg: { muxer: "ogg", type: "audio/ogg", extension: "ogg" },
  wav: { muxer: "wav", type: "audio/wav", extension: "wav" },
  mp3: { muxer: "mp3", type: "audio/mpeg", extension: "mp3" },
  flac: { muxer: "flac", type: "audio/flac", extension: "flac" },
} as const;

async function makeAudio(
  tools: MediaTools,
  input: string,
  source: Source,
  signal: AbortSignal,
): Promise<MadeMedia | DroppedMedia> {
  const { muxer, type, extension } = AUDIO_OUTPUTS[source.demuxer];
  const at = (name: string) => join(tools.folder, name);
  const from = { from: input, demuxer: source.demuxer };
  const large = await convert(
    tools,
    { ...from, to: at("large"), after: ["-map", "0:a:0", "-c", "copy", "-f", muxer] },
    signal,
  );
  if (large.code !== 0) return failure(source, large);

  // At a low rate, because the filter holds all of it in memory.
  const { width, height } = MEDIA_LIMITS.thumbnail;
  const wave = `aresample=8000,aformat=channel_layouts=mono,showwavespic=s=${width}x${height}:colors=0x4f86c6:scale=sqrt`;
  const waveform = await convert(
    tools,
    {
      ...from,
      to: at("wave.png"),
      after: [
        "-filter_complex",
        `[0:a:0]${wave}`,
        "-frames:v",
        "1",
        "-c:v",
        "png",
        "-f",
        "image2",
        "-update",
        "1",
      ],
    },
    signal,
  );
  if (waveform.code !== 0) return failure(source, waveform);
  const thumbnail = await makeThumbnail(tools, at("wave.png"), signal);
  if (typeof thumbnail !== "string") return thumbnail;
  return { ok: true, kind: "audio", type, extension, large: at("large"), thumbnail, preview: null };
}

const NAMES = { mov: "MP4", matroska: "WebM", ogg: "Ogg", wav: "WAV", mp3: "MP3", flac: "FLAC" };

function failure({ demuxer }: Source, { code, stderr }: ChildEnd): DroppedMedia {
  return code === null ? droppedMedia(EXHAUSTED, stderr) : broken(NAMES[demuxer], stderr);
}
