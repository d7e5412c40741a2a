import type { ErrorCode, SubmissionState } from "@crowdai/shared";
import type { Generated, Insertable, Selectable } from "kysely";
import type { OutsideStatus } from "./outbox-tables.ts";

export interface SubmissionTable {
  /** The webapp's integer id. */
  number: Generated<number>;
  /** Created by the client, before its first byte. */
  id: string;
  challenge: string;
  participant_id: number;
  /** The member of a team who made it. */
  member: string | null;
  round: string;
  function: string;
  state: SubmissionState;
  message: string | null;
  /**
   * When it was sealed on a machine without a network, by that machine's clock. Only shown, never compared.
   */
  sealed_at: string | null;
  dry_run: number;
  post_challenge: number;
  input_kind: "file" | "json" | "code" | "session";
  input_name: string | null;
  input_size: number;
  input_sha256: string;
  /** The JSON text, when it was sent in the message; of submitted code, the command that it was sent with. */
  input_data: string | null;
  /** The key of its bytes, when they were uploaded. */
  input_key: string | null;
  created_at: string;
  accepted_at: string | null;
  finished_at: string | null;
  /** When the current state expires; null in a final state. */
  deadline_at: string | null;
  /** Number of the current attempt: the fencing number. */
  attempt: number;
  /** How often a grader started on it without returning it. */
  starts: number;
  /** Sequence number of its latest event. */
  seq: number;
  score: number | null;
  score_secondary: number | null;
  /** Rounded scores as keys for an ascending sort, best first; null unless graded. */
  sort_primary: number | null;
  sort_secondary: number | null;
  grading_message: string | null;
  data: string | null;
  meta: string | null;
  artifacts: string | null;
  rank: number | null;
  rank_before: number | null;
  best: number | null;
  error_code: ErrorCode | null;
  error_message: string | null;
  evaluator_version: string | null;
  /** When a regrade last changed its outcome, and its score before that. */
  regraded_at: string | null;
  score_before: number | null;
  /**
   * The status that an external grader last sent through the webapp API; that grader then replaces our queue.
   * Such a submission is `submitted` until it ends. Null: our own graders have it.
   */
  outside_status: OutsideStatus | null;
  /** Object keys, or the id of an external video: all three or none. */
  media_large: string | null;
  media_thumbnail: string | null;
  media_content_type: string | null;
  /** Key of a video's preview, where one was made. */
  media_preview: string | null;
  /** Why the evaluator's media are not shown. */
  media_dropped: string | null;
  /** Number of its models. */
  model_count: Generated<number>;
  /** Whether its participant wants its code published when the challenge closes. */
  publish: Generated<number>;
  /** When its code became public; null until then. */
  published_at: string | null;
  /**
   * 1 for a baseline of its organizer: it appears on the board without a rank, and is not an entry of its
   * participant.
   */
  baseline: Generated<number>;
  baseline_comment: string | null;
}

/**
 * The ledger: one row for each submission that takes a slot. Reserved and charged rows count against the
 * limit.
 */
export interface SlotTable {
  submission: string;
  participant_id: number;
  challenge: string;
  round: string;
  post_challenge: number;
  state: "reserved" | "charged" | "returned";
  reserved_at: string;
  settled_at: string | null;
  reason: string | null;
}

export interface AttemptTable {
  submission: string;
  number: number;
  /** `waiting` until a grader starts; `lost` when it was replaced by a newer attempt. */
  state: "waiting" | "started" | "done" | "lost";
  /** Null until the queue has it: rows with null are queued again. */
  published_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  delivery: number;
  grader: string | null;
  /** The regrade it belongs to; null for the submission's own attempts. */
  regrade: number | null;
  /** 1 for the attempt whose outcome counts; unique for each submission. */
  accepted: number;
  evaluator_version: string | null;
  /** JSON, without the records of a run and of an environment. */
  outcome: string | null;
  /** JSON: how submitted code was run; null when none was. */
  run: string | null;
  /** JSON: how an agent played; null when none did. */
  environment: string | null;
  organiser_log: string | null;
}

export type SubmissionRow = Selectable<SubmissionTable>;
export type NewSubmission = Insertable<SubmissionTable>;
export type SlotRow = Selectable<SlotTable>;
export type AttemptRow = Selectable<AttemptTable>;
