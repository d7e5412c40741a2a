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
import type { ContractEnvironment } from "./contract-environment.ts";

/** A submission in the records of this broker. */
export interface StoredSubmission {
  submission: Submission;
  intent: Pick<Intent, "input" | "function"> & Partial<Pick<Intent, "id" | "code" | "publish">>;
  events: SubmissionEvent[];
  parts: Map<number, Buffer>;
}

/**
 * A broker in the test's process that follows the contract and lets the test decide when things happen. Its
 * memory outlives `stop` and `start`, as a real broker's records do.
 */
export interface ContractBroker {
  readonly url: string;
  /** The only valid key. */
  key: string;
  challenge: PublicChallenge;
  limits: Limits;
  /** The requests received, such as "submit", "PUT 1" or "GET /healthz", with their messages. */
  readonly received: { what: string; message: unknown; headers: IncomingHttpHeaders }[];
  readonly kept: Map<string, StoredSubmission>;
  /** Grades accepted submissions; with null, they wait for the test. */
  grader:
    | ((kept: StoredSubmission) => {
        score?: number;
        data?: unknown;
        error?: { code: ErrorCode; message: string };
      })
    | null;
  /** Number of further sessions that end as soon as they begin, as when a broker stops. */
  goodbyes: number;
  /**
   * Called before each response: returning true drops the request, and a thrown CrowdaiError is the response.
   */
  intercept: ((what: string, message: unknown) => boolean | undefined | Promise<boolean | undefined>) | null;
  /** Where announced code is to be pushed; null requests no code. */
  code: ((intent: StoredSubmission["intent"]) => CodePush | null) | null;
  /** The sessions with an environment, by submission. */
  readonly environments: Map<string, ContractEnvironment>;
  /** Appends an event and sends it to watchers, unless `silent`. */
  event(id: string, type: SubmissionEvent["type"], data?: Record<string, unknown>, silent?: boolean): void;
  finish(id: string, change: Partial<Submission>): void;
  /** Sends watchers an event again, out of order or twice. */
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
  /** False refuses sockets, as a proxy may. */
  sockets: boolean;
}
