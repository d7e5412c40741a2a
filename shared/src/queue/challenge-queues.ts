import type { Job } from "../protocol/job.ts";

export interface WaitingJob {
  job: Job;
  /** How often this attempt was handed out before. */
  delivered: number;
}

/** Jobs that wait, in a queue for each challenge. */
export interface ChallengeQueues {
  /** Takes the first job of a challenge among those served. The challenge whose turn is longest ago comes first. */
  take(served: readonly string[]): WaitingJob | null;
  pushBack(waiting: WaitingJob): void;
  pushFront(waiting: WaitingJob): void;
  /** The waiting job of a submission. */
  find(submission: string): WaitingJob | null;
  drop(submission: string): void;
  isEmpty(): boolean;
  clear(): void;
}

/** Jobs from `head` on. Array.shift moves every element, which for a long queue takes longer than grading it. */
interface Queue {
  jobs: WaitingJob[];
  head: number;
}

/** Lets go of what was taken once it is more than what waits. */
function compact(queue: Queue): Queue {
  return queue.head > 1000 && queue.head * 2 > queue.jobs.length
    ? { jobs: queue.jobs.slice(queue.head), head: 0 }
    : queue;
}

export function createChallengeQueues(): ChallengeQueues {
  // Kept in order of turns: a challenge that was served goes to the end. A queue that is empty is not kept.
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
