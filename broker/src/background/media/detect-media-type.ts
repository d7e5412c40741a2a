import { MEDIA_TYPES } from "@crowdai/shared/media-types";
import type { ImageFormat } from "./image-task.ts";

/** The type of media, by their first bytes. `demuxer` names ffmpeg's reader of video or audio. */
export type DetectedMedia =
  | { kind: "image"; format: ImageFormat; type: string; extension: string }
  | { kind: "video" | "audio"; demuxer: Demuxer; type: string; extension: string };

export type Demuxer = "mov" | "matroska" | "ogg" | "wav" | "mp3" | "flac";

/** The number of bytes at the start of a file that identify its type. */
export const DETECTION_BYTES = 4096;

/**
 * Detects the type by content, whatever the file's name. Returns null for everything else: text (SVG, HTML,
 * playlists), archives, programs, and formats that browsers do not show.
 */
export function detectMediaType(head: Uint8Array): DetectedMedia | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const text = (from: number, to: number) => bytes.toString("latin1", from, to);
  const starts = (hex: string) => bytes.toString("hex", 0, hex.length / 2) === hex;

  if (starts("89504e470d0a1a0a")) return image("png");
  if (starts("ffd8ff")) return image("jpeg", "jpg");
  if (text(0, 6) === "GIF87a" || text(0, 6) === "GIF89a") return image("gif");
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return image("webp");
  if (text(0, 4) === "RIFF" && text(8, 12) === "WAVE") return audio("wav", "wav");
  if (text(4, 8) === "ftyp") return ofBrand(text(8, 12));
  if (starts("1a45dfa3")) return matroska(text(0, 64));
  if (text(0, 4) === "OggS") return /theora/.test(text(0, 128)) ? video("ogg", "ogv") : audio("ogg", "ogg");
  if (text(0, 4) === "fLaC") return audio("flac", "flac");
  if (text(0, 3) === "ID3" || isMp3Frame(bytes)) return audio("mp3", "mp3");
  return null;
}

type Extension = keyof typeof MEDIA_TYPES;

function image(format: ImageFormat, extension: Extension = format): DetectedMedia {
  return { kind: "image", format, type: MEDIA_TYPES[extension], extension };
}

function video(demuxer: Demuxer, extension: Extension): DetectedMedia {
  return { kind: "video", demuxer, type: MEDIA_TYPES[extension], extension };
}

function audio(demuxer: Demuxer, extension: Extension): DetectedMedia {
  return { kind: "audio", demuxer, type: MEDIA_TYPES[extension], extension };
}

/** Detects formats of the MP4 family by brand: MP4, QuickTime, AVIF. */
function ofBrand(brand: string): DetectedMedia | null {
  if (brand === "avif" || brand === "avis") return image("avif");
  if (/^M4[AB] /.test(brand)) return audio("mov", "m4a");
  if (/^(?:iso[m2-9]|mp4[12]|avc1|M4V |dash|MSNV|3gp[4-7]|qt {2})$/.test(brand)) return video("mov", "mp4");
  return null;
}

function matroska(head: string): DetectedMedia | null {
  if (!/webm|matroska/.test(head)) return null;
  return video("matroska", "webm");
}

/**
 * Two bytes prove little, so the following ones must be valid too: layer III, a bit rate, a sampling rate.
 */
function isMp3Frame(bytes: Buffer): boolean {
  const [first = 0, second = 0, third = 0] = bytes;
  const isSync = first === 0xff && (second & 0xe6) === 0xe2 && (second & 0x18) !== 0x08;
  return isSync && third >> 4 !== 0 && third >> 4 !== 15 && (third & 0x0c) !== 0x0c;
}
