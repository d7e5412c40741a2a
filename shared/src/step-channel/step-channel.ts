import type { AgentAnswer, AgentRequest } from "../protocol/agent.ts";

/**
 * Carries the requests of remote agents from brokers to the grader that holds their session, and keeps the journal of each session,
 * from which another grader can continue it. A session is named by its submission.
 */
export interface StepChannel {
  /**
   * Broker: resolves with the answer of the grader that holds the session, waiting for one if none does yet. A repeated request may reach
   * the session twice, which answers it once. Rejects with the signal's reason on abort.
   */
  ask(session: string, request: AgentRequest, signal: AbortSignal): Promise<AgentAnswer>;
  /**
   * Grader: answers the requests of a session, one at a time and in order, until it is disposed. The latest grader that serves a session
   * gets its requests: an earlier one is taken for lost.
   */
  serve(session: string, answer: (request: AgentRequest) => Promise<AgentAnswer>): Promise<AsyncDisposable>;
  /** Grader: adds an entry to the journal of a session. It is durable as far as the channel is when this resolves. */
  record(session: string, entry: JournalEntry): Promise<void>;
  /** Grader: reads the journal of a session; empty when it is new. */
  journal(session: string): Promise<JournalEntry[]>;
  /** Broker: forgets a session that has ended. */
  forget(session: string): Promise<void>;
  close(): Promise<void>;
}

/** What a session answered. Enough to step it again, and to see whether it does the same. */
export type JournalEntry =
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
