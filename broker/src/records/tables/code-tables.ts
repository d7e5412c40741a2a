import type { Selectable } from "kysely";

/**
 * The code that a submission was announced with. Repositories on disk are built from these rows and their
 * packs.
 */
export interface SubmissionCodeTable {
  submission: string;
  challenge: string;
  participant_id: number;
  /** `missing` once it is given up. */
  state: "awaited" | "stored" | "missing";
  /** The snapshot that the client made and announced, and its tree. */
  commit_name: string;
  tree: string;
  files: number;
  bytes: number;
  /** See HOLDS: whether grading waits for it. */
  holds: number;
  /** When it is given up, or grading stops waiting for it; null once it is stored or missing. */
  deadline_at: string | null;
  stored_at: string | null;
  /** Order of storage in the participant's repository, from 1: packs build on earlier ones. */
  stored_seq: number | null;
  /** Text of the client's commit. */
  snapshot: string | null;
  /** The objects that it added to the repository; null when it added none. */
  pack_key: string | null;
  pack_size: number | null;
  pack_sha256: string | null;
  /** The tree as an archive for graders, where the challenge asks for it. */
  tree_key: string | null;
  tree_size: number | null;
  tree_sha256: string | null;
  /**
   * Place on the repository's main branch, from 1; null until the submission ended and its code has arrived.
   */
  final_seq: number | null;
  /** The commit with the score, and its text. */
  final_commit: string | null;
  final_text: string | null;
}

/**
 * The version of a repository for an external code host: each change raises `version`, and `shown` follows
 * when the host has it. Participant 0 is the challenge's own repository.
 */
export interface CodeRepositoryTable {
  challenge: string;
  participant_id: number;
  version: number;
  shown: number;
  /** The host that `shown` refers to. */
  host: string | null;
  tries: number;
  next_at: string;
  problem: string | null;
}

/** Commits of a challenge's repository, whose submodules are its participants' repositories. */
export interface CodeChallengeCommitTable {
  challenge: string;
  number: number;
  commit_name: string;
  text: string;
  /** JSON: path, address and commit of each submodule. */
  pins: string;
  readme: string;
}

export type SubmissionCodeRow = Selectable<SubmissionCodeTable>;
export type CodeRepositoryRow = Selectable<CodeRepositoryTable>;
