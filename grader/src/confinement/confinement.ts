/**
 * Keeps the processes of evaluators together, so that none outlives its job and all share one memory limit.
 */
export interface Confinement {
  /** For the log. */
  readonly name: string;
  /** Prepares for one evaluator process and its descendants. */
  start(memoryBytes: number | null): Confined;
}

/** One evaluator process with all its descendants, also those that left its process group and session. */
export interface Confined {
  /** The arguments to put before the evaluator's command. */
  readonly prefix: readonly string[];
  /** Called with the id of the started process. */
  attach(pid: number): void;
  /** Kills all processes now. */
  kill(): void;
  /** Whether the processes used more memory together than they may. */
  exceedsMemory(): boolean;
  /** Kills what the exited process left behind. Resolves when nothing is left. */
  close(): Promise<void>;
}
