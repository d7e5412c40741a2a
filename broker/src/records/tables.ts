import type { BOARDS, ErrorCode, EventType, SubmissionState } from "@crowdai/shared";
import type { WebhookEvent } from "@crowdai/shared/challenge-folder";
import type { Generated, Insertable, Selectable } from "kysely";

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
   * Sign-ins of command lines, by the digest of their device code; `participant_id` confirmed one, with a key of
   * `member`.
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
  /** Keys of pictures of profiles that are removed from the store when due, unless a profile shows them by then. */
  old_pictures: { key: string; due_at: string };
  /** Profiles that an operator removed; rows are never changed. */
  profile_removals: { id: Generated<number>; participant_id: number; reason: string | null; at: string };
  submissions: SubmissionTable;
  announced_parts: AnnouncedPartsTable;
  models: ModelTable;
  media_work: MediaWorkTable;
  /**
   * Sessions of agents that speak gym-http-api: the name that the agent gave the environment, and its key, without which the
   * session ends.
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
  /** When it was sealed on a machine without a network, by that machine's clock. Only shown, never compared. */
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
 * The outbox to a remote webapp: a row for each submission that the webapp receives. Written before the first
 * call to the webapp, which precedes the submission itself.
 */
export interface WebappSubmissionTable {
  submission: string;
  participant_id: number;
  challenge: string;
  /** Its id at the webapp; null until the webapp answered. */
  number: number | null;
  /** The participant's key, encrypted, until the webapp has been called with it. */
  sealed_key: string | null;
  created_at: string;
  /**
   * Counts the updates for the webapp, and those that were delivered: the submission's end, and each later
   * change of its outcome.
   */
  news: number;
  told: number;
  tries: number;
  next_try_at: string | null;
  /** Only one broker at a time delivers updates of a submission. */
  claimed_until: string | null;
  /** `refused`: the webapp never accepted it. `withdrawn`: it did, and nothing was registered here. */
  outcome: "refused" | "withdrawn" | null;
  /** The latest refusal, in the webapp's words. */
  note: string | null;
}

/** Webhooks of challenges, as their challenge.json last had them. */
export interface WebhookTable {
  id: Generated<number>;
  challenge: string;
  url: string;
  /** JSON: the events that it receives. */
  events: string;
  /** When it was first seen: it receives nothing that happened before. */
  created_at: string;
  /** Since when jobs of its challenge wait without a grader, once it has been sent; null otherwise. */
  missing_since: string | null;
}

/** The outbox to webhooks: a message for one of them, written with what it reports. */
export interface WebhookMessageTable {
  id: Generated<number>;
  webhook: number;
  event: WebhookEvent;
  /** The subject of the event; unique for each webhook and event, so that nothing is sent twice. */
  subject: string;
  submission: string | null;
  /** JSON: what happened. */
  data: string;
  created_at: string;
  tries: Generated<number>;
  next_try_at: string;
  /** Only one broker at a time sends it. */
  claimed_until: string | null;
  /** When it was delivered or given up. */
  ended_at: string | null;
  outcome: "delivered" | "given_up" | null;
  /** Why the latest try failed. */
  problem: string | null;
}

export type WebhookMessageRow = Selectable<WebhookMessageTable>;

export type OutsideStatus = "submitted" | "initiated" | "graded" | "failed";

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
export type SubmissionRow = Selectable<SubmissionTable>;
export type NewSubmission = Insertable<SubmissionTable>;
export type SlotRow = Selectable<SlotTable>;
export type ModelRow = Selectable<ModelTable>;
export type MediaWorkRow = Selectable<MediaWorkTable>;
export type RegradeRow = Selectable<RegradeTable>;
export type RegradeItemRow = Selectable<RegradeItemTable>;
export type WebappSubmissionRow = Selectable<WebappSubmissionTable>;
export type AttemptRow = Selectable<AttemptTable>;
