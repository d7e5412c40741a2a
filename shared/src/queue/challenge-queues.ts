import type { Job } from "../protocol/job.ts";

export interface WaitingJob {
  job: Job;
  /** Number of earlier deliveries of this attempt. */
  delivered: number;
}

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

/** A queue that starts at `head`. Array.shift moves every element, which in a long queue takes longer than grading. */
interface Queue {
  jobs: WaitingJob[];
  head: number;
}

/** Discards the taken jobs once they outnumber the waiting ones. */
function compact(queue: Queue): Queue {
  return queue.head > 1000 && queue.head * 2 > queue.jobs.length
    ? { jobs: queue.jobs.slice(queue.head), head: 0 }
    : queue;
}

export function createChallengeQueues(): ChallengeQueues {
  // In round-robin order: a served challenge moves to the end. Empty queues are removed.
  const queues = new Map<string, Queue>();
  const bySubmission = new Map<string, WaitingJob>();

  function queueOf(waiting: WaitingJob): Queue {
    const { challenge, submission } = waiting.job;
    const queue = queues.get(challenge) ?? { jobs: [], head: 0 };
    queues.set(challenge, queue);
    bySubmission.set(submission, waiting);
    return queue;
  }

  return {
    take(served) {
      for (const [challenge, queue] of queues) {
        if (!served.includes(challenge)) continue;
        const first = queue.jobs[queue.head++]!;
        queues.delete(challenge);
        if (queue.head < queue.jobs.length) queues.set(challenge, compact(queue));
        bySubmission.delete(first.job.submission);
        return first;
      }
      return null;
    },
    pushBack(waiting) {
      queueOf(waiting).jobs.push(waiting);
    },
    pushFront(waiting) {
      const queue = queueOf(waiting);
      if (queue.head > 0) queue.jobs[--queue.head] = waiting;
      else queue.jobs.unshift(waiting);
    },
    find: (submission) => bySubmission.get(submission) ?? null,
    drop(submission) {
      const waiting = bySubmission.get(submission);
      if (!waiting) return;
      bySubmission.delete(submission);
      const { challenge } = waiting.job;
      const queue = queues.get(challenge)!;
      const jobs = queue.jobs.slice(queue.head).filter((other) => other !== waiting);
      if (jobs.length === 0) queues.delete(challenge);
      else queues.set(challenge, { jobs, head: 0 });
    },
    isEmpty: () => queues.size === 0,
    clear() {
      queues.clear();
      bySubmission.clear();
    },
  };
}
