import type { BOARDS } from "@crowdai/shared";
import type { Generated } from "kysely";

/** Each participant's best graded submission, for each round and board. Derived from submissions. */
export interface StandingTable {
  challenge: string;
  round: string;
  board: (typeof BOARDS)[number] | "final";
  participant_id: number;
  submission: string;
  submission_number: number;
  submitted_at: string;
  sort_primary: number;
  sort_secondary: number;
}

/** A round whose boards have entries. Its row is locked by transactions that change them. */
export interface BoardRoundTable {
  challenge: string;
  round: string;
  /** Counts the changes. */
  version: number;
  /** The previous boards contain what was created up to here; null before they were first made. */
  border: string | null;
  /** How many submissions of a participant the final board considers; 0 while no grade has a final score. */
  finals: Generated<number>;
  /** Whether the round's boards were last announced with the final scores. */
  final_shown: Generated<number>;
}

/**
 * Standings counted in blocks of some hundred, each identified by the key of its first: ranks need no full
 * count. Derived.
 */
export interface BoardBlockTable {
  challenge: string;
  round: string;
  board: (typeof BOARDS)[number] | "final";
  sort_primary: number;
  sort_secondary: number;
  submitted_at: string;
  submission_number: number;
  standings: number;
}

/**
 * Final scores of current grades. Hidden until the round has ended, and therefore no columns of
 * `submissions`: see isFinalShown.
 */
export interface FinalScoreTable {
  challenge: string;
  submission: string;
  final_score: number;
  /** The rounded score as a key for an ascending sort. */
  sort_final: number;
}

/** Submissions that their participant selected for the final ranking of a round. */
export interface FinalSelectionTable {
  challenge: string;
  round: string;
  participant_id: number;
  submission: string;
  selected_at: string;
}
