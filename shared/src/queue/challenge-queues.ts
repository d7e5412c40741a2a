import { createFairQueue, type FairQueue, type WaitingJob } from "./fair-queue.ts";

/** The waiting jobs, in one queue per challenge. */
export interface ChallengeQueues {
  /** Takes the first job of one of the served challenges, beginning with the challenge served least recently. */
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
  // In round-robin order: a served challenge moves to the end. Empty queues are removed.
  const queues = new Map<string, FairQueue>();
  const bySubmission = new Map<string, WaitingJob>();

  function queueOf(waiting: WaitingJob): FairQueue {
    const { challenge, submission } = waiting.job;
    const queue = queues.get(challenge) ?? createFairQueue();
    queues.set(challenge, queue);
    bySubmission.set(submission, waiting);
    return queue;
  }

  return {
    take(served) {
      for (const [challenge, queue] of queues) {
        if (!served.includes(challenge)) continue;
        const first = queue.take()!;
        queues.delete(challenge);
        if (!queue.isEmpty()) queues.set(challenge, queue);
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
      const { challenge } = waiting.job;
      const queue = queues.get(challenge)!;
      queue.drop(waiting);
      if (queue.isEmpty()) queues.delete(challenge);
    },
    isEmpty: () => queues.size === 0,
    clear() {
      queues.clear();
      bySubmission.clear();
    },
  };
}
