import type { IncomingHttpHeaders } from "node:http";
import type {
  CodePush,
  ErrorCode,
  Intent,
  Limits,
  PublicChallenge,
  Submission,
  SubmissionEvent,
} from "@crowdai/shared";

/** One submission as this broker remembers it. */
export interface StoredSubmission {
  submission: Submission;
  intent: Pick<Intent, "input" | "function"> & Partial<Pick<Intent, "id" | "code" | "publish">>;
  events: SubmissionEvent[];
  parts: Map<number, Buffer>;
}

/**
 * A broker in the test's own process that speaks the contract and lets a test decide when what happens. Its memory outlives
 * `stop` and `start`, as a real broker's records do.
 */
export interface ContractBroker {
  readonly url: string;
  /** The one key it knows. */
  key: string;
  challenge: PublicChallenge;
  limits: Limits;
  /** What came in, as "submit", "PUT 1", "GET /healthz"; with its message. */
  readonly received: { what: string; message: unknown; headers: IncomingHttpHeaders }[];
  readonly kept: Map<string, StoredSubmission>;
  /** Grades what is accepted; null leaves it waiting for the test. */
  grader:
    | ((kept: StoredSubmission) => {
        score?: number;
        data?: unknown;
        error?: { code: ErrorCode; message: string };
      })
    | null;
  /** So many sessions are ended in the same breath in which they begin, as by a broker that stops. */
  goodbyes: number;
  /** Asked before anything is answered; a returned true swallows it, a thrown CrowdaiError is the answer. */
  intercept: ((what: string, message: unknown) => boolean | undefined | Promise<boolean | undefined>) | null;
  /** Where announced code is to be pushed; null asks for none. */
  code: ((intent: StoredSubmission["intent"]) => CodePush | null) | null;
  /** Appends an event and sends it to watchers, unless `silent`. */
  event(id: string, type: SubmissionEvent["type"], data?: Record<string, unknown>, silent?: boolean): void;
  finish(id: string, change: Partial<Submission>): void;
  /** Tells watchers an event again, out of order or twice. */
  repeat(id: string, seq: number): void;
  place(
    id: string,
    place: number,
    waiting: string | null,
    more?: { expected_at?: string; graders?: number },
  ): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  close(): Promise<void>;
  /** False refuses sockets, as a proxy between may. */
  sockets: boolean;
}
