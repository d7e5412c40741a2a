import type { EventType } from "@crowdai/shared";
import type { Generated } from "kysely";
import type { ChallengeTable, RegradeItemTable, RegradeTable } from "./tables/challenge-tables.ts";
import type {
  CodeChallengeCommitTable,
  CodeRepositoryTable,
  SubmissionCodeTable,
} from "./tables/code-tables.ts";
import type {
  BoardBlockTable,
  BoardRoundTable,
  FinalScoreTable,
  FinalSelectionTable,
  StandingTable,
} from "./tables/leaderboard-tables.ts";
import type { WebappSubmissionTable, WebhookMessageTable, WebhookTable } from "./tables/outbox-tables.ts";
import type {
  ApiKeyTable,
  CiTrustTable,
  DisqualificationTable,
  JoinLinkTable,
  ParticipantTable,
  ProfileTable,
} from "./tables/participant-tables.ts";
import type {
  AgreementTable,
  ClosureTable,
  PublicationTable,
  PublishRequestTable,
  ShownRepositoryTable,
} from "./tables/publication-tables.ts";
import type { AnnouncedPartsTable, MediaWorkTable, ModelTable } from "./tables/stored-file-tables.ts";
import type { AttemptTable, SlotTable, SubmissionTable } from "./tables/submission-tables.ts";

export type * from "./tables/challenge-tables.ts";
export type * from "./tables/code-tables.ts";
export type * from "./tables/leaderboard-tables.ts";
export type * from "./tables/outbox-tables.ts";
export type * from "./tables/participant-tables.ts";
export type * from "./tables/publication-tables.ts";
export type * from "./tables/stored-file-tables.ts";
export type * from "./tables/submission-tables.ts";

// Times are ISO 8601 UTC with milliseconds in text columns: they sort as text and read the same on both
// databases. Booleans are 0 and 1.

export interface Tables {
  settings: { name: string; value: string };
  participants: ParticipantTable;
  organizers: { id: Generated<number>; name: string; name_key: string; created_at: string };
  organizer_challenges: { organizer_id: number; challenge: string };
  api_keys: ApiKeyTable;
  ci_trusts: CiTrustTable;
  /** Sessions of CI jobs, by the digest of their key; `ref` and `run` say which job it was. */
  ci_sessions: {
    hash: string;
    trust_id: number;
    /** Of the token that was exchanged for it. */
    token_hash: string;
    ref: string;
    run: string | null;
    created_at: string;
    expires_at: string;
  };
  /** Digests of the ids of tokens that were exchanged for a session. */
  ci_tokens: { hash: string; expires_at: string };
  /**
   * Sign-ins of command lines, by the digest of their device code; `participant_id` confirmed one, with a key
   * of `member`.
   */
  device_logins: {
    device_hash: string;
    user_code: string;
    client: string;
    ip: string;
    created_at: string;
    expires_at: string;
    participant_id: number | null;
    member: string | null;
  };
  /** Links by which participants join; `code_hash` is the digest of the code in the link. */
  join_links: JoinLinkTable;
  disqualifications: DisqualificationTable;
  profiles: ProfileTable;
  /**
   * Keys of pictures of profiles that are removed from the store when due, unless a profile shows them by
   * then.
   */
  old_pictures: { key: string; due_at: string };
  /** Profiles that an operator removed; rows are never changed. */
  profile_removals: { id: Generated<number>; participant_id: number; reason: string | null; at: string };
  submissions: SubmissionTable;
  announced_parts: AnnouncedPartsTable;
  /**
   * Submissions that ended before their upload was accepted, whose objects are removed once more when due.
   */
  ended_uploads: { submission: string; due_at: string };
  models: ModelTable;
  media_work: MediaWorkTable;
  /**
   * Sessions of agents that speak gym-http-api: the name that the agent gave the environment, and its key,
   * without which the session ends.
   */
  environment_instances: { submission: string; env_id: string; kept_key: string };
  slots: SlotTable;
  attempts: AttemptTable;
  events: { submission: string; seq: number; at: string; type: EventType; data: string };
  standings: StandingTable;
  board_rounds: BoardRoundTable;
  board_blocks: BoardBlockTable;
  final_scores: FinalScoreTable;
  final_selections: FinalSelectionTable;
  challenges: ChallengeTable;
  regrades: RegradeTable;
  regrade_items: RegradeItemTable;
  /** Integer ids of challenges and rounds in the webapp API. A number never changes. */
  challenge_numbers: { number: Generated<number>; challenge: string; created_at: string };
  round_numbers: { number: Generated<number>; challenge: string; round: string; created_at: string };
  /** Invited participants of private challenges. */
  invitations: { challenge: string; participant_id: number; created_at: string };
  /**
   * Signed-in people at the pages: `hash` is the digest of their cookie, `key_hash` of the key they signed in
   * with.
   */
  page_sessions: { hash: string; kept_key: string; created_at: string; expires_at: string };
  licence_texts: { sha256: string; licence: string; text: string; kept_at: string };
  agreements: AgreementTable;
  publish_wishes: PublishRequestTable;
  closures: ClosureTable;
  publications: PublicationTable;
  public_challenge_commits: CodeChallengeCommitTable;
  shown_repositories: ShownRepositoryTable;
  submission_code: SubmissionCodeTable;
  code_repositories: CodeRepositoryTable;
  code_challenge_commits: CodeChallengeCommitTable;
  /** Participants of a remote webapp, by its ids. */
  webapp_participants: { webapp_id: number; participant_id: number };
  /** Keys that a remote webapp confirmed, and when it last did. */
  webapp_keys: { hash: string; participant_id: number; verified_at: string };
  webapp_submissions: WebappSubmissionTable;
  webhooks: WebhookTable;
  webhook_messages: WebhookMessageTable;
}
