import type { Selectable } from "kysely";

/** The parts of a submission's upload, until it is complete. */
export interface AnnouncedPartsTable {
  submission: string;
  part_size: number;
  /** JSON: their digests, in order. */
  md5: string;
}

/** A model of a submission, from the moment it is announced. */
export interface ModelTable {
  submission: string;
  /** From 1, in the order of the intent. */
  position: number;
  name: string;
  size: number;
  sha256: string;
  key: string;
  /** The parts of its upload, until it is complete; null for one that is sent as a whole. */
  part_size: number | null;
  md5: string | null;
}

/**
 * Media that are still to be made of what an evaluator stored: those of the newest grade, one row per
 * submission.
 */
export interface MediaWorkTable {
  submission: string;
  /** The attempt that the media belong to: when a newer one has replaced the row, the result is discarded. */
  attempt: number;
  /** JSON of the stored file; null when there are only objects to remove. */
  source: string | null;
  /** JSON: keys of an older grade's media, to be removed. */
  replaces: string;
  /** Part of the keys of the new objects; identifies those of an interrupted attempt. */
  name: string;
  /** Number of attempts; work that crashes its broker is given up. */
  tries: number;
  due_at: string;
}

export type ModelRow = Selectable<ModelTable>;
export type MediaWorkRow = Selectable<MediaWorkTable>;
