import type { Generated, Selectable } from "kysely";

/** Agreements of participants to texts; rows are never changed. The text itself is in licence_texts. */
export interface AgreementTable {
  id: Generated<number>;
  participant_id: number;
  licence: "mit";
  text_sha256: string;
  agreed_at: string;
  ip: string;
  user_agent: string;
  given_at: "terminal" | "page";
  /** The member of a team who agreed; null for the participant. */
  member: string | null;
}

/** Every choice about publishing a submission; rows are never changed. */
export interface PublishRequestTable {
  id: Generated<number>;
  submission: string;
  publish: number;
  at: string;
}

/** Closed challenges. Each later publication raises `version`; `shown` follows when readers can see it. */
export interface ClosureTable {
  challenge: string;
  closed_at: string;
  version: number;
  shown: number;
}

/** Submissions with public code: `seq` is the place in the participant's public repository, from 1. */
export interface PublicationTable {
  submission: string;
  challenge: string;
  participant_id: number;
  seq: number;
}

/** How much of a public repository an external code host has. Participant 0 is the challenge's own. */
export interface ShownRepositoryTable {
  challenge: string;
  participant_id: number;
  /** The host that `shown` refers to. */
  host: string;
  shown: number;
  tries: number;
  next_at: string;
  problem: string | null;
}

export type AgreementRow = Selectable<AgreementTable>;
