import type { Fault } from "./evaluator-failure.ts";
import type { LiveEvaluatorEvent, ResultEvent } from "./events.ts";

/** One job, ready to be evaluated. */
export interface Evaluation {
  id: string;
  function: string;
  /** The job as the protocol writes it: one line of JSON, its new line included. */
  line: string;
  /** The job's own folder. */
  workspace: string;
  /** Aborted: the evaluator is killed, and `evaluate` rejects with the signal's reason once it is gone. */
  signal: AbortSignal;
  /** Progress and log lines, as they come. */
  onEvent(event: LiveEvaluatorEvent): void;
}

export type Verdict = { kind: "result"; result: ResultEvent } | { kind: "rejected"; message: string } | Fault;

export interface Evaluated {
  verdict: Verdict;
  /** The end of what the evaluator wrote to stderr. */
  stderr: string;
}

/** Runs the evaluator of one challenge, any number of jobs at once. */
export interface Evaluator {
  /** Resolves with a verdict, whatever the evaluator does; rejects when it was aborted or the machine is at fault. */
  evaluate(job: Evaluation): Promise<Evaluated>;
  /** Ends idle processes now and busy ones after their job; resolves when all are gone. */
  close(): Promise<void>;
}
