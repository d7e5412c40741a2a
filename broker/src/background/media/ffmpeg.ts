import { z } from "zod";
import type { Demuxer } from "./detect-media-type.ts";
import { type ChildEnd, runLimited } from "./limited-process.ts";
import { MEDIA_LIMITS } from "./media-limits.ts";
import type { MediaTools } from "./media-tools.ts";

/** Decoders for untrusted video and audio: what browsers play and what scientific programs write. */
const DECODERS = [
  ..."h264 hevc mpeg4 mjpeg png vp8 vp9 libvpx libvpx-vp9 av1 libdav1d libaom-av1 theora rawvideo".split(" "),
  ..."aac mp3 mp3float opus libopus vorbis flac alac pcm_u8 pcm_s16le pcm_s24le pcm_s32le pcm_f32le".split(
    " ",
  ),
  ..."pcm_f64le pcm_s16be pcm_s24be pcm_alaw pcm_mulaw".split(" "),
].join(",");

/**
 * Returns options for an input: only this demuxer, reading only this file. A file that refers to others (a
 * playlist, a track elsewhere) cannot open them.
 */
export function inputOf(file: string, demuxer: Demuxer): string[] {
  return [
    ...["-protocol_whitelist", "file", "-format_whitelist", DEMUXERS[demuxer], "-codec_whitelist", DECODERS],
    ...["-f", demuxer, "-i", `file:${file}`],
  ];
}

/** Some demuxers go by the names of a whole family. */
const DEMUXERS: Record<Demuxer, string> = {
  mov: "mov,mp4,m4a,3gp,3g2,mj2",
  matroska: "matroska,webm",
  ogg: "ogg",
  wav: "wav",
  mp3: "mp3",
  flac: "flac",
};

const probedSchema = z.object({
  streams: z
    .array(
      z.object({
        codec_type: z.string().optional(),
        codec_name: z.string().optional(),
        pix_fmt: z.string().optional(),
        width: z.number().optional(),
        height: z.number().optional(),
        disposition: z.object({ attached_pic: z.number().default(0) }).optional(),
      }),
    )
    .default([]),
  format: z.object({ duration: z.coerce.number().optional() }).default({}),
});

export interface Probed {
  video: { codec: string; pixels: string; width: number; height: number } | null;
  /** Codec of the audio; null when there is none. */
  audio: string | null;
  /** Seconds; 0 when unknown. */
  duration: number;
}

/** Reads what a video or audio file contains. Returns the ended process when the file cannot be read. */
export async function probe(
  tools: MediaTools,
  file: string,
  demuxer: Demuxer,
  signal: AbortSignal,
): Promise<Probed | ChildEnd> {
  const asked =
    "stream=codec_type,codec_name,pix_fmt,width,height:stream_disposition=attached_pic:format=duration";
  const [, program] = programs(tools);
  const ended = await runLimited(
    [
      program,
      "-hide_banner",
      "-v",
      "error",
      "-show_entries",
      asked,
      "-of",
      "json",
      ...inputOf(file, demuxer),
    ],
    limitsOf(tools, MEDIA_LIMITS.probeMs),
    signal,
  );
  if (ended.code !== 0) return ended;
  const { streams, format } = probedSchema.parse(JSON.parse(ended.stdout));
  const video = streams.find((s) => s.codec_type === "video" && s.disposition?.attached_pic !== 1);
  const { width, height } = video ?? {};
  return {
    video:
      video && width && height
        ? { codec: video.codec_name ?? "", pixels: video.pix_fmt ?? "", width, height }
        : null,
    audio: streams.find((s) => s.codec_type === "audio")?.codec_name ?? null,
    duration: format.duration ?? 0,
  };
}

/** Runs ffmpeg with the options `before` the input and `after` it. */
export function convert(
  tools: MediaTools,
  {
    from,
    demuxer,
    to,
    before = [],
    after,
  }: {
    from: string;
    demuxer: Demuxer;
    to: string;
    before?: string[];
    after: string[];
  },
  signal: AbortSignal,
): Promise<ChildEnd> {
  const [program] = programs(tools);
  const quiet = [
    "-nostdin",
    "-hide_banner",
    "-v",
    "error",
    "-y",
    "-max_alloc",
    String(MEDIA_LIMITS.memory / 2),
  ];
  // Drops everything that describes the original: place, device, title.
  const bare = ["-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn", "-threads", "2"];
  return runLimited(
    [
      program,
      ...quiet,
      ...before,
      "-max_pixels",
      String(MEDIA_LIMITS.videoPixels),
      ...inputOf(from, demuxer),
      ...bare,
      ...after,
      `file:${to}`,
    ],
    limitsOf(tools, MEDIA_LIMITS.videoMs),
    signal,
  );
}

function programs({ ffmpeg }: MediaTools): [string, string] {
  if (!ffmpeg) throw new Error("ffmpeg is not installed");
  return [ffmpeg.ffmpeg, ffmpeg.ffprobe];
}

function limitsOf(tools: MediaTools, timeoutMs: number) {
  const { memory, bytes } = MEDIA_LIMITS;
  return { ...tools, cwd: tools.folder, memory, fileSize: bytes.video, timeoutMs };
}
