import type { Generated, Selectable } from "kysely";

/** Challenges that were added as bundles: every version, one of which is current. */
export interface ChallengeTable {
  id: string;
  version: string;
  /** challenge.json with its defaults, as JSON text. */
  config: string;
  /** Public files: name, size, digest and key of each, as JSON text. */
  data: string;
  bundle_key: string;
  bundle_size: number;
  bundle_sha256: string;
  added_at: string;
  current: number;
}

export interface RegradeTable {
  id: Generated<number>;
  challenge: string;
  /** Version of the challenge that it uses: the current bundle's, or the folder's from its first job on. */
  version: string | null;
  /** One `running` regrade per challenge. */
  state: "running" | "done" | "cancelled";
  started_at: string;
  finished_at: string | null;
}

/**
 * One submission in a regrade: its states are like a submission's, while the submission itself keeps its
 * outcome.
 */
export interface RegradeItemTable {
  regrade: number;
  submission: string;
  /** The submission's number: regrades keep the original order. */
  number: number;
  /**
   * `waiting` until it is queued; only a few are queued at a time, so that new submissions are not delayed.
   */
  state: "waiting" | "queued" | "grading" | "done";
  /** Number of its current attempt: the fencing number. */
  attempt: number;
  starts: number;
  deadline_at: string | null;
  /** Once done: whether the new attempt's verdict counts, or the old outcome is kept, and why. */
  result: "graded" | "failed" | "kept" | null;
  reason: string | null;
}

export type RegradeRow = Selectable<RegradeTable>;
export type RegradeItemRow = Selectable<RegradeItemTable>;
