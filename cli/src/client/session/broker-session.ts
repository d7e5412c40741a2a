import type {
  AgentRequest,
  CallRequest,
  IntentRequest,
  Receipt,
  Session,
  SessionAnswer,
  SessionRequest,
  Submission,
} from "@crowdai/shared";
import type { Agents } from "../http/proxy-agents.ts";
import type { Feed } from "./feed.ts";
import type { ConnectionChange } from "./outage.ts";

/** A key that expires, and is replaced by another one before that. */
export interface KeyLease {
  /** Returns the current key. */
  key(): Promise<string>;
  /** Returns the latest key; null before the first. */
  latest(): string | null;
  /** Replaces a key that the broker says has expired. */
  expired(key: string | null): void;
  /** When it is replaced, in milliseconds since 1970. */
  renewAt(): number;
}

/** How to open a session. */
export interface SessionOptions {
  broker: string | URL;
  key: string;
  /** For a key that expires. */
  lease?: KeyLease;
  challenge?: string;
  /** Version of this client, such as `crowdai/0.1.0 node/26.10.0`. */
  client: string;
  /** Ends the session; pending calls then reject with `interrupted`. */
  signal?: AbortSignal;
  agents?: Agents;
  /** How long the broker may be unreachable before the session fails with broker_lost. Default 60 s. */
  lostAfterMs?: number;
  /** Called when the connection was lost, which is tried again, and when it is back. */
  onConnection?: (change: ConnectionChange) => void;
  /** How long one answer may take before the client reconnects. Default 20 s. */
  answerMs?: number;
  /** `http` never opens a socket; `auto` (the default) uses one unless a proxy or firewall blocks it. */
  transport?: "auto" | "socket" | "http";
}

/**
 * A participant's session with the broker. It survives restarts of the broker and cut connections:
 * unacknowledged requests are sent again under the same ids, and watched submissions continue after the last
 * event seen.
 */
export interface BrokerSession {
  /** The broker's first message: participant, challenge, limits. */
  readonly opening: Session;
  readonly transport: "socket" | "http";
  /** With `follow`, all events from the first on are buffered for the feed that `watch` returns later. */
  submit(intent: IntentRequest, options?: { follow?: boolean; signal?: AbortSignal }): Promise<Receipt>;
  /** Tells the broker that all bytes are uploaded. */
  complete(id: string, signal?: AbortSignal): Promise<Receipt>;
  /** Sends a call; follows each of its items, as `submit` does with `follow`. */
  call(call: CallRequest, signal?: AbortSignal): Promise<Submission[]>;
  /**
   * Registers a session with an environment, or finds the one with this id; follows it, as `submit` does with
   * `follow`.
   */
  createEnvironment(request: SessionRequest, signal?: AbortSignal): Promise<Submission>;
  /**
   * Sends a request of an agent to its session. One that names its episode and step is answered once, however
   * often it is sent. Throws the error of a session that has failed.
   */
  askEnvironment(
    id: string,
    request: AgentRequest,
    options?: { answerMs?: number; signal?: AbortSignal },
  ): Promise<SessionAnswer>;
  /**
   * Cancels a submission; returns it if it is already cancelled. Throws already_final if it ended in another
   * way.
   */
  cancel(id: string, signal?: AbortSignal): Promise<Submission>;
  /** Returns the events after number `after`, for one reader. Stop the feed to stop watching. */
  watch(id: string, options?: { after?: number; signal?: AbortSignal }): Feed;
  close(): void;
}
