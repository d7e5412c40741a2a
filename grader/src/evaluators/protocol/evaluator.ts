import type { EvaluatorFailure } from "./evaluator-failure.ts";
import type { LiveEvaluatorEvent, ResultEvent } from "./events.ts";

/** One job, ready to be evaluated. */
export interface Evaluation {
  id: string;
  function: string;
  /** The job in the evaluator protocol: one line of JSON, including the newline. */
  line: string;
  /** The job's own folder. */
  workspace: string;
  /**
   * When aborted, the evaluator is killed, and `evaluate` rejects with the signal's reason once it is gone.
   */
  signal: AbortSignal;
  /** Receives progress and log lines as they arrive. */
  onEvent(event: LiveEvaluatorEvent): void;
}

export type Verdict =
  | { kind: "result"; result: ResultEvent }
  | { kind: "rejected"; message: string }
  | EvaluatorFailure;

export interface Evaluated {
  verdict: Verdict;
  /** The last part of the evaluator's stderr. */
  stderr: string;
}

/** Runs the evaluator of one challenge, for any number of jobs in parallel. */
export interface Evaluator {
  /** Resolves with a verdict whatever the evaluator does. Rejects on abort, or when the machine fails. */
  evaluate(job: Evaluation): Promise<Evaluated>;
  /** Stops idle processes now and busy ones after their job. Resolves when all are gone. */
  close(): Promise<void>;
}
