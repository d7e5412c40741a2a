import type { MediaKind } from "../../domain/media/media-keys.ts";

/** Files that become the objects of a submission's media. */
export interface MadeMedia {
  ok: true;
  kind: MediaKind;
  /** Type and extension of `large`. */
  type: string;
  extension: string;
  large: string;
  /** A WebP image. */
  thumbnail: string;
  /** An MP4 video; null when there is none. */
  preview: string | null;
}

/** Media that cannot be shown: `reason` is for the participant, `detail` for the organizer. */
export interface DroppedMedia {
  ok: false;
  reason: string;
  detail: string;
}

export const droppedMedia = (reason: string, detail = ""): DroppedMedia => ({ ok: false, reason, detail });

export const EXHAUSTED = "Processing it exceeded the limit on time or memory.";

export const broken = (what: string, detail: string): DroppedMedia =>
  droppedMedia(`It cannot be read as ${what}: it is corrupt or incomplete.`, detail);
