import type { Job } from "../protocol/job.ts";

export interface WaitingJob {
  job: Job;
  /** How often this attempt was handed out before. */
  delivered: number;
}

/** Jobs that wait, in a line for each challenge. */
export interface WaitingLines {
  /** Takes the first job of a challenge among those served. The challenge whose turn is longest ago comes first. */
  take(served: readonly string[]): WaitingJob | null;
  toEnd(waiting: WaitingJob): void;
  toFront(waiting: WaitingJob): void;
  /** The waiting job of a submission. */
  find(submission: string): WaitingJob | null;
  drop(submission: string): void;
  isEmpty(): boolean;
  clear(): void;
}

export function createWaitingLines(): WaitingLines {
  // Kept in order of turns: a challenge that was served goes to the end. A line that is empty is not kept.
  const lines = new Map<string, WaitingJob[]>();
  const bySubmission = new Map<string, WaitingJob>();

  function add(waiting: WaitingJob, place: "push" | "unshift"): void {
    const { challenge, submission } = waiting.job;
    const line = lines.get(challenge) ?? [];
    line[place](waiting);
    lines.set(challenge, line);
    bySubmission.set(submission, waiting);
  }

  return {
    take(served) {
      for (const [challenge, line] of lines) {
        if (!served.includes(challenge)) continue;
        const first = line.shift()!;
        lines.delete(challenge);
        if (line.length > 0) lines.set(challenge, line);
        bySubmission.delete(first.job.submission);
        return first;
      }
      return null;
    },
    toEnd: (waiting) => add(waiting, "push"),
    toFront: (waiting) => add(waiting, "unshift"),
    find: (submission) => bySubmission.get(submission) ?? null,
    drop(submission) {
      const waiting = bySubmission.get(submission);
      if (!waiting) return;
      bySubmission.delete(submission);
      const { challenge } = waiting.job;
      const rest = lines.get(challenge)!.filter((other) => other !== waiting);
      if (rest.length === 0) lines.delete(challenge);
      else lines.set(challenge, rest);
    },
    isEmpty: () => lines.size === 0,
    clear() {
      lines.clear();
      bySubmission.clear();
    },
  };
}
