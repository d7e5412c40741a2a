import type { MediaKind } from "../../domain/media/media-keys.ts";

/** Files that are to become the objects of a submission's media. */
export interface MadeMedia {
  ok: true;
  kind: MediaKind;
  /** Type and extension of `large`. */
  type: string;
  extension: string;
  large: string;
  /** A WebP picture. */
  thumbnail: string;
  /** An MP4 film; null where there is none. */
  preview: string | null;
}

/** Media that cannot be shown: `reason` is for the participant, `detail` for the organiser. */
export interface DroppedMedia {
  ok: false;
  reason: string;
  detail: string;
}

export const droppedMedia = (reason: string, detail = ""): DroppedMedia => ({ ok: false, reason, detail });

export const EXHAUSTED = "Making it ready to be shown took more time or memory than it may.";

export const broken = (what: string, detail: string): DroppedMedia =>
  droppedMedia(`It cannot be read as ${what}: it is broken, or not whole.`, detail);
