import type { Report } from "../protocol/job.ts";

/**
 * How long a start waits for the end of its delivery. A shorter grading needs one write to the records, not
 * two.
 */
const DELAY_START_MS = 15;

/** The reports of one submission, in order. */
export interface SubmissionReports<T extends { report: Report }> {
  readonly items: T[];
  /** Called when a report is added. */
  wake: () => void;
}

/** Delays a start that is alone in its queue until another report arrives, or a short time has passed. */
export async function delayStart(queue: SubmissionReports<{ report: Report }>): Promise<void> {
  if (queue.items.length !== 1 || queue.items[0]!.report.type !== "started") return;
  const { promise, resolve } = Promise.withResolvers<void>();
  queue.wake = resolve;
  const timer = setTimeout(resolve, DELAY_START_MS);
  await promise;
  clearTimeout(timer);
  queue.wake = () => {};
}

/**
 * Removes and returns the first report if it is a start followed by the end of the same delivery, which makes
 * it redundant.
 */
export function takeRedundantStart<T extends { report: Report }>({ items }: SubmissionReports<T>): T | null {
  const [first, next] = items;
  if (first?.report.type !== "started" || next?.report.type !== "finished") return null;
  const { attempt, delivery } = next.report;
  if (attempt !== first.report.attempt || delivery !== first.report.delivery) return null;
  items.shift();
  return first;
}
