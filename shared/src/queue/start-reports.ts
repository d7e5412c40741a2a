import type { Report } from "../protocol/job.ts";

/** How long a start waits for the end of its delivery, in ms: a grading that is shorter is one write to the records, not two. */
const HOLD_START_MS = 15;

/** Reports of one submission in their order. */
export interface ReportLane<T extends { report: Report }> {
  readonly items: T[];
  /** Called when one was added. */
  wake: () => void;
}

/** A start that is alone in its lane: resolves when more came, or after a moment. */
export async function holdStart(lane: ReportLane<{ report: Report }>): Promise<void> {
  if (lane.items.length !== 1 || lane.items[0]?.report.type !== "started") return;
  const { promise, resolve } = Promise.withResolvers<void>();
  lane.wake = resolve;
  const timer = setTimeout(resolve, HOLD_START_MS);
  await promise;
  clearTimeout(timer);
  lane.wake = () => {};
}

/** Takes the first report out when it is a start and the end of the same delivery follows: that says all of it. */
export function takeSaidStart<T extends { report: Report }>({ items }: ReportLane<T>): T | null {
  const [first, next] = items;
  if (first?.report.type !== "started" || next?.report.type !== "finished") return null;
  const { attempt, delivery } = next.report;
  if (attempt !== first.report.attempt || delivery !== first.report.delivery) return null;
  items.shift();
  return first;
}
