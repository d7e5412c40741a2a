import type { CallRequest, IntentRequest, Receipt, Session, Submission } from "@crowdai/shared";
import type { Agents } from "../http/proxy-agents.ts";
import type { Feed } from "./feed.ts";

export interface SessionOptions {
  broker: string | URL;
  key: string;
  challenge?: string;
  /** Version of this client, as `crowdai/0.1.0 node/26.10.0`. */
  client: string;
  /** Ends the session; whatever is under way then rejects with `interrupted`. */
  signal?: AbortSignal;
  agents?: Agents;
  /** How long the broker may be away before the session gives up with broker_lost. Default 60 s. */
  lostAfterMs?: number;
  /** How long one answer may take before the connection is taken for dead and made anew. Default 20 s. */
  answerMs?: number;
  /** `http` never opens a socket; `auto` (the default) uses one unless something between does not let it through. */
  transport?: "auto" | "socket" | "http";
}

/**
 * A participant's session with the broker. It survives a restart of the broker and a cut connection: what was not
 * acknowledged is sent again under the same ids, and watched submissions go on where they were.
 */
export interface BrokerSession {
  /** What the broker said first: who, which challenge, which limits. */
  readonly opening: Session;
  readonly transport: "socket" | "http";
  /** With `follow`, events are kept from the first on for the feed that `watch` then returns. */
  submit(intent: IntentRequest, options?: { follow?: boolean; signal?: AbortSignal }): Promise<Receipt>;
  complete(id: string, signal?: AbortSignal): Promise<Receipt>;
  /** Follows each item, as `submit` does. */
  call(call: CallRequest, signal?: AbortSignal): Promise<Submission[]>;
  /** Harmless when it is cancelled already; throws already_final when it ended otherwise. */
  cancel(id: string, signal?: AbortSignal): Promise<Submission>;
  /** Events after number `after`, for one reader. Stop the feed to stop watching. */
  watch(id: string, options?: { after?: number; signal?: AbortSignal }): Feed;
  close(): void;
}
