import type { Generated, Selectable } from "kysely";

export interface ParticipantTable {
  id: Generated<number>;
  name: string;
  /** The name in lower case: names must differ in more than case. */
  name_key: string;
  created_at: string;
}

export interface ApiKeyTable {
  hash: string;
  owner: "participant" | "organizer";
  owner_id: number;
  created_at: string;
  revoked_at: string | null;
  /** Names the key to its owner. */
  label: string | null;
  /** The person of a team whose key it is; null for a participant's own. */
  member: string | null;
  /** Within the hour. */
  last_used_at: string | null;
}

export interface JoinLinkTable {
  id: Generated<number>;
  code_hash: string;
  /** JSON: ids of the challenges that it invites to. */
  challenges: string;
  /** How often it can be used; null for any number. */
  uses: number | null;
  used: Generated<number>;
  created_at: string;
  expires_at: string;
  revoked_at: string | null;
}

/**
 * Decisions on who counts; rows are never changed. The latest of a participant and challenge is in force.
 */
export interface DisqualificationTable {
  id: Generated<number>;
  participant_id: number;
  /** Null for all challenges. */
  challenge: string | null;
  decision: "disqualified" | "reinstated";
  /** Null for a reinstatement. */
  reason: string | null;
  at: string;
}

/** The profile that a participant shows; `picture` is the key of an object. */
export interface ProfileTable {
  participant_id: number;
  name: string | null;
  affiliation: string | null;
  link: string | null;
  picture: string | null;
  updated_at: string;
}

/** CI jobs that may act as a participant, for as long as the key that the trust was made with works. */
export interface CiTrustTable {
  id: Generated<number>;
  participant_id: number;
  key_hash: string;
  /** The issuer's URL. */
  issuer: string;
  repository: string;
  /** The repository in lower case. */
  repository_key: string;
  ref: string | null;
  environment: string | null;
  /** Pinned at the first use, so that another repository of the same name is not trusted. */
  repository_id: string | null;
  owner_id: string | null;
  created_at: string;
  ip: string;
  user_agent: string;
  last_used_at: string | null;
  revoked_at: string | null;
}

export type CiTrustRow = Selectable<CiTrustTable>;
