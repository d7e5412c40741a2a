import type { AgentAnswer, AgentRequest } from "../protocol/agent.ts";

/**
 * Carries the requests of remote agents from brokers to the grader that holds their session, and keeps the
 * journal of each session, from which another grader can continue it. A session is named by its submission.
 */
export interface StepChannel {
  /**
   * Broker: resolves with the answer of the grader that serves the session, waiting for one if none does yet.
   * When another grader takes over, a request without an answer is sent to it: a session may get a request
   * again, which it answers once. Rejects with the signal's reason on abort.
   */
  ask(session: string, request: AgentRequest, signal: AbortSignal): Promise<AgentAnswer>;
  /**
   * Grader: answers the requests of a session, one at a time and in order, until it is disposed, which waits
   * for the request that runs. A request whose `answer` rejects stays without an answer. The latest grader
   * that serves a session gets its requests: an earlier one is taken for lost, and what it still answers is
   * neither recorded nor sent.
   */
  serve(session: string, answer: (request: AgentRequest) => Promise<SessionReply>): Promise<ServedSession>;
  /**
   * Grader: reads the journal of a session; empty when it is new. Read it after `serve`, with an `answer`
   * that waits for it: an earlier grader adds nothing from then on.
   */
  journal(session: string): Promise<JournalEntry[]>;
  /** Broker: forgets a session that has ended. */
  forget(session: string): Promise<void>;
  /** Rejects the requests that wait. */
  close(): Promise<void>;
}

export interface ServedSession extends AsyncDisposable {
  /** Aborted when another grader has taken the session over, at the latest some seconds afterwards. */
  readonly lost: AbortSignal;
  /**
   * Returns since when requests of the agent could arrive without a break, as a time of `performance.now()`:
   * about now while they cannot. An agent was not silent before.
   */
  reachableSince(): number;
}

export interface SessionReply {
  answer: AgentAnswer;
  /**
   * Added to the journal before the answer is sent. It is then as durable as the channel is. Absent for an
   * answer that changes nothing, such as a repeated one.
   */
  entry?: JournalEntry;
}

/**
 * An answer of a session: enough to continue it elsewhere. The last one may be that of a submit, after which
 * nothing is played.
 */
export type JournalEntry = PlayedEntry | { type: "submit" };

/** An answer to a reset or step: enough to do it again, and to see whether it does the same. */
export type PlayedEntry =
  | { type: "reset"; episode: number; digest: string }
  | {
      type: "step";
      episode: number;
      n: number;
      action: unknown;
      reward: number;
      digest: string;
      over: boolean;
    };
