import type { WebhookEvent } from "@crowdai/shared/challenge-folder";
import type { Generated, Selectable } from "kysely";

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

export type OutsideStatus = "submitted" | "initiated" | "graded" | "failed";

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
export type WebappSubmissionRow = Selectable<WebappSubmissionTable>;
