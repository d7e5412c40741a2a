import { type Caller, requireParticipant } from "../participants/api-keys.ts";

/**
 * Whoever knows the participants, and is told of their submissions: this broker itself, or a crowdAI webapp elsewhere. Participants and
 * organisers see the same of both.
 */
export interface Webapp {
  /** For the start message. */
  readonly name: string;
  /** Who a key belongs to. Throws no_key, key_malformed, key_unknown, key_revoked, and webapp_away when that cannot be found out. */
  identify(key: string | undefined): Promise<Caller>;
  /** What a session keeps of the key of a caller who was identified just now; the key cannot be read from it without this broker's settings. */
  keep(caller: Caller): string;
  /** Whose key was kept. Throws as identify does: a session ends with its key. */
  recall(kept: string): Promise<Caller>;
  /** Digests of keys that no longer work, of those in use at least, which come by their digests. Asked about once a second. */
  ended(inUse: () => ReadonlyMap<string, string>): Promise<ReadonlySet<string>>;
  /**
   * Asked before a submission that takes a slot is registered. Throws webapp_refused, in the webapp's own words. One that does not answer
   * in time is told of the submission later. Nothing is opened that `allowed` throws for.
   */
  open(submission: Opening, allowed: () => Promise<void>): Promise<void>;
  /** Tells what there is to tell; called about once a second. */
  tell(): Promise<void>;
  close(): Promise<void>;
}

/** A submission that is about to be registered. */
export interface Opening {
  id: string;
  challenge: string;
  message: string | null;
  caller: Caller;
}

/** As identify, for what only participants do: throws not_allowed for an organiser's key. */
export async function identifyParticipant(webapp: Webapp, key: string | undefined): Promise<Caller> {
  return requireParticipant(await webapp.identify(key));
}
