import type { ImageFormat } from "./image-task.ts";

/** What media are, as their first bytes say. `demuxer` is the one of ffmpeg's that reads a film or sound. */
export type Sniffed =
  | { kind: "image"; format: ImageFormat; type: string; extension: string }
  | { kind: "video" | "audio"; demuxer: Demuxer; type: string; extension: string };

export type Demuxer = "mov" | "matroska" | "ogg" | "wav" | "mp3" | "flac";

/** So many of a file's first bytes say what it is. */
export const SNIFFED_BYTES = 4096;

/**
 * What the bytes say that they are, whatever their name; null for everything else: text (SVG, HTML, playlists), archives, programs,
 * and formats that browsers do not show.
 */
export function sniff(head: Uint8Array): Sniffed | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  const text = (from: number, to: number) => bytes.toString("latin1", from, to);
  const starts = (hex: string) => bytes.toString("hex", 0, hex.length / 2) === hex;

  if (starts("89504e470d0a1a0a")) return image("png");
  if (starts("ffd8ff")) return image("jpeg", "jpg");
  if (text(0, 6) === "GIF87a" || text(0, 6) === "GIF89a") return image("gif");
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return image("webp");
  if (text(0, 4) === "RIFF" && text(8, 12) === "WAVE") return sound("wav", "audio/wav", "wav");
  if (text(4, 8) === "ftyp") return ofBrand(text(8, 12));
  if (starts("1a45dfa3")) return matroska(text(0, 64));
  if (text(0, 4) === "OggS")
    return /theora/.test(text(0, 128))
      ? { kind: "video", demuxer: "ogg", type: "video/ogg", extension: "ogv" }
      : sound("ogg", "audio/ogg", "ogg");
  if (text(0, 4) === "fLaC") return sound("flac", "audio/flac", "flac");
  if (text(0, 3) === "ID3" || isMp3Frame(bytes)) return sound("mp3", "audio/mpeg", "mp3");
  return null;
}

function image(format: ImageFormat, extension: string = format): Sniffed {
  return { kind: "image", format, type: `image/${format}`, extension };
}

function sound(demuxer: Demuxer, type: string, extension: string): Sniffed {
  return { kind: "audio", demuxer, type, extension };
}

/** The brand of a file in boxes: MP4, QuickTime, AVIF. */
function ofBrand(brand: string): Sniffed | null {
  if (brand === "avif" || brand === "avis") return image("avif");
  if (/^M4[AB] /.test(brand)) return sound("mov", "audio/mp4", "m4a");
  if (/^(?:iso[m2-9]|mp4[12]|avc1|M4V |dash|MSNV|3gp[4-7]|qt {2})$/.test(brand))
    return { kind: "video", demuxer: "mov", type: "video/mp4", extension: "mp4" };
  return null;
}

function matroska(head: string): Sniffed | null {
  if (!/webm|matroska/.test(head)) return null;
  return { kind: "video", demuxer: "matroska", type: "video/webm", extension: "webm" };
}

/** Two bytes say little, so what follows them must make sense too: layer III, a bit rate, a sampling rate. */
function isMp3Frame(bytes: Buffer): boolean {
  const [first = 0, second = 0, third = 0] = bytes;
  const isSync = first === 0xff && (second & 0xe6) === 0xe2 && (second & 0x18) !== 0x08;
  return isSync && third >> 4 !== 0 && third >> 4 !== 15 && (third & 0x0c) !== 0x0c;
}
