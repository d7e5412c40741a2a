import { type Caller, requireParticipant } from "../participants/api-keys.ts";

/**
 * The system that knows the participants and is informed of their submissions: this broker itself, or a
 * remote crowdAI webapp. Participants and organizers see no difference.
 */
export interface Webapp {
  /** For the start message. */
  readonly name: string;
  /** Whether this broker issues the keys of participants. */
  readonly issuesKeys: boolean;
  /**
   * Returns the owner of a key. Throws no_key, key_malformed, key_unknown, key_revoked, and webapp_away when
   * the owner cannot be determined.
   */
  identify(key: string | undefined): Promise<Caller>;
  /**
   * Returns what a session stores of the key of a caller who was just identified. Without this broker's
   * settings, the key cannot be read from it.
   */
  remember(caller: Caller): string;
  /** Returns the owner of a stored key. Throws as identify does: a session ends with its key. */
  recall(remembered: string): Promise<Caller>;
  /**
   * Returns digests of keys that no longer work, at least of those in use, which are passed by digest. Called
   * once a second.
   */
  ended(inUse: () => ReadonlyMap<string, string>): Promise<ReadonlySet<string>>;
  /**
   * Called before a submission that takes a slot is registered. Throws webapp_refused with the webapp's
   * message. A webapp that does not answer in time receives the submission later. Nothing is opened when
   * `allowed` throws.
   */
  open(submission: Opening, allowed: () => Promise<void>): Promise<void>;
  /** Delivers pending submissions and outcomes; called about once a second. */
  deliver(): Promise<void>;
  close(): Promise<void>;
}

/** A submission that is about to be registered. */
export interface Opening {
  id: string;
  challenge: string;
  message: string | null;
  caller: Caller;
}

/** Returns the owner of a participant's key; throws not_allowed for an organizer's. */
export async function identifyParticipant(webapp: Webapp, key: string | undefined): Promise<Caller> {
  return requireParticipant(await webapp.identify(key));
}
