import type { Report } from "../protocol/job.ts";

/** How long a start waits for the end of its delivery, in ms: a grading that is shorter is one write to the records, not two. */
const DELAY_START_MS = 15;

/** Reports of one submission in their order. */
export interface SubmissionReports<T extends { report: Report }> {
  readonly items: T[];
  /** Called when one was added. */
  wake: () => void;
}

/** A start that is alone in its queue: resolves when more came, or after a moment. */
export async function delayStart(queue: SubmissionReports<{ report: Report }>): Promise<void> {
  if (queue.items.length !== 1 || queue.items[0]?.report.type !== "started") return;
  const { promise, resolve } = Promise.withResolvers<void>();
  queue.wake = resolve;
  const timer = setTimeout(resolve, DELAY_START_MS);
  await promise;
  clearTimeout(timer);
  queue.wake = () => {};
}

/** Takes the first report out when it is a start and the end of the same delivery follows: that says all of it. */
export function takeRedundantStart<T extends { report: Report }>({ items }: SubmissionReports<T>): T | null {
  const [first, next] = items;
  if (first?.report.type !== "started" || next?.report.type !== "finished") return null;
  const { attempt, delivery } = next.report;
  if (attempt !== first.report.attempt || delivery !== first.report.delivery) return null;
  items.shift();
  return first;
}
