import { createFairQueue, type FairQueue, type WaitingJob } from "./fair-queue.ts";
import { queueNameOf } from "./queue-names.ts";

/** The waiting jobs, in one queue per challenge, and one for its sessions. */
export interface ChallengeQueues {
  /**
   * Takes the first job of one of the served queues, by name, beginning with the queue served least recently.
   */
  take(served: readonly string[]): WaitingJob | null;
  pushBack(waiting: WaitingJob): void;
  pushFront(waiting: WaitingJob): void;
  /** Returns the waiting job of a submission. */
  find(submission: string): WaitingJob | null;
  drop(submission: string): void;
  isEmpty(): boolean;
  clear(): void;
}

export function createChallengeQueues(): ChallengeQueues {
  // In round-robin order: a served queue moves to the end. Empty queues are removed.
  const queues = new Map<string, FairQueue>();
  const bySubmission = new Map<string, WaitingJob>();

  function queueOf(waiting: WaitingJob): FairQueue {
    const name = queueNameOf(waiting.job);
    const queue = queues.get(name) ?? createFairQueue();
    queues.set(name, queue);
    bySubmission.set(waiting.job.submission, waiting);
    return queue;
  }

  return {
    take(served) {
      for (const [name, queue] of queues) {
        if (!served.includes(name)) continue;
        const first = queue.take()!;
        queues.delete(name);
        if (!queue.isEmpty()) queues.set(name, queue);
        bySubmission.delete(first.job.submission);
        return first;
      }
      return null;
    },
    pushBack: (waiting) => queueOf(waiting).add(waiting),
    pushFront: (waiting) => queueOf(waiting).addFirst(waiting),
    find: (submission) => bySubmission.get(submission) ?? null,
    drop(submission) {
      const waiting = bySubmission.get(submission);
      if (!waiting) return;
      bySubmission.delete(submission);
      const name = queueNameOf(waiting.job);
      const queue = queues.get(name)!;
      queue.drop(waiting);
      if (queue.isEmpty()) queues.delete(name);
    },
    isEmpty: () => queues.size === 0,
    clear() {
      queues.clear();
      bySubmission.clear();
    },
  };
}
