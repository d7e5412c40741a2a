import type { Job } from "../protocol/job.ts";

export interface WaitingJob {
  job: Job;
  /** Number of earlier deliveries of this attempt. */
  delivered: number;
}

/**
 * The waiting jobs of one challenge. The fair keys that have some take turns: the one served least recently
 * is next.
 */
export interface FairQueue {
  add(waiting: WaitingJob): void;
  /** Adds a job that is taken before all others. */
  addFirst(waiting: WaitingJob): void;
  take(): WaitingJob | null;
  drop(waiting: WaitingJob): void;
  isEmpty(): boolean;
}

/**
 * A list that starts at `head`. Array.shift moves every element, which in a long list takes longer than
 * grading.
 */
interface JobList {
  jobs: WaitingJob[];
  head: number;
}

export const fairKeyOf = ({ fair_key }: { fair_key?: string | null }): string => fair_key ?? "";

export function createFairQueue(): FairQueue {
  /** In order of arrival, for the keys that were never served. Empty lists are removed. */
  const lists = new Map<string, JobList>();
  const returned: WaitingJob[] = [];
  const servedAt = new Map<string, number>();
  let served = 0;

  function nextKey(): string | null {
    let next: string | null = null;
    let earliest = Number.POSITIVE_INFINITY;
    for (const key of lists.keys()) {
      const at = servedAt.get(key) ?? 0;
      if (at >= earliest) continue;
      next = key;
      earliest = at;
    }
    return next;
  }

  /** Discards the taken jobs once they outnumber the waiting ones. */
  function tidy(key: string, { jobs, head }: JobList): void {
    if (head === jobs.length) lists.delete(key);
    else if (head > 1000 && head * 2 > jobs.length) lists.set(key, { jobs: jobs.slice(head), head: 0 });
  }

  return {
    add(waiting) {
      const key = fairKeyOf(waiting.job);
      const list = lists.get(key);
      if (list) list.jobs.push(waiting);
      else lists.set(key, { jobs: [waiting], head: 0 });
    },
    addFirst(waiting) {
      returned.push(waiting);
    },
    take() {
      const first = returned.pop();
      if (first) return first;
      const key = nextKey();
      if (key === null) return null;
      const list = lists.get(key)!;
      const taken = list.jobs[list.head++]!;
      servedAt.set(key, ++served);
      tidy(key, list);
      return taken;
    },
    drop(waiting) {
      const at = returned.indexOf(waiting);
      if (at >= 0) returned.splice(at, 1);
      const key = fairKeyOf(waiting.job);
      const list = lists.get(key);
      if (!list) return;
      list.jobs = list.jobs.filter((other, index) => index < list.head || other !== waiting);
      tidy(key, list);
    },
    isEmpty: () => returned.length === 0 && lists.size === 0,
  };
}
