import type { SubmissionEvent } from "@crowdai/shared";

/** Callers inside this process that wait for a submission's next event: the long polls of the HTTP API. */
export function createListeners() {
  const waiting = new Map<string, Set<() => void>>();
  return {
    announce(events: SubmissionEvent[]): void {
      for (const { submission } of events) {
        for (const wake of waiting.get(submission) ?? []) wake();
        waiting.delete(submission);
      }
    },
    /** Resolves at the submission's next event, or when the signal is aborted. */
    next(submission: string, signal: AbortSignal): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const mine = waiting.get(submission) ?? new Set();
      waiting.set(submission, mine.add(resolve));
      const stop = () => {
        mine.delete(resolve);
        if (mine.size === 0 && waiting.get(submission) === mine) waiting.delete(submission);
        resolve();
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
      return promise.finally(() => signal.removeEventListener("abort", stop));
    },
  };
}
