import type { Job } from "../../protocol/job.ts";

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

/** Jobs from `head` on. Array.shift moves every element, which for a long line takes longer than grading it. */
interface Line {
  jobs: WaitingJob[];
  head: number;
}

/** Lets go of what was taken once it is more than what waits. */
function compact(line: Line): Line {
  return line.head > 1000 && line.head * 2 > line.jobs.length
    ? { jobs: line.jobs.slice(line.head), head: 0 }
    : line;
}

export function createWaitingLines(): WaitingLines {
  // Kept in order of turns: a challenge that was served goes to the end. A line that is empty is not kept.
  const lines = new Map<string, Line>();
  const bySubmission = new Map<string, WaitingJob>();

  function lineOf(waiting: WaitingJob): Line {
    const { challenge, submission } = waiting.job;
    const line = lines.get(challenge) ?? { jobs: [], head: 0 };
    lines.set(challenge, line);
    bySubmission.set(submission, waiting);
    return line;
  }

  return {
    take(served) {
      for (const [challenge, line] of lines) {
        if (!served.includes(challenge)) continue;
        const first = line.jobs[line.head++]!;
        lines.delete(challenge);
        if (line.head < line.jobs.length) lines.set(challenge, compact(line));
        bySubmission.delete(first.job.submission);
        return first;
      }
      return null;
    },
    toEnd(waiting) {
      lineOf(waiting).jobs.push(waiting);
    },
    toFront(waiting) {
      const line = lineOf(waiting);
      if (line.head > 0) line.jobs[--line.head] = waiting;
      else line.jobs.unshift(waiting);
    },
    find: (submission) => bySubmission.get(submission) ?? null,
    drop(submission) {
      const waiting = bySubmission.get(submission);
      if (!waiting) return;
      bySubmission.delete(submission);
      const { challenge } = waiting.job;
      const line = lines.get(challenge)!;
      const jobs = line.jobs.slice(line.head).filter((other) => other !== waiting);
      if (jobs.length === 0) lines.delete(challenge);
      else lines.set(challenge, { jobs, head: 0 });
    },
    isEmpty: () => lines.size === 0,
    clear() {
      lines.clear();
      bySubmission.clear();
    },
  };
}
