import type { Report } from "../../protocol/job.ts";
import { pause } from "../pause.ts";
import { delayStart, type SubmissionReports, takeRedundantStart } from "../start-reports.ts";
import type { QueueLog } from "./queue-log.ts";

const MIN_RETRY_MS = 10;
const MAX_RETRY_MS = 1000;
const REMEMBER_MS = 10_000;
/** About half a minute. */
const MAX_TRIES = 40;

/** The received reports, in one queue per submission: each keeps its order, and none waits for another. */
export interface ReportApplier {
  /** Adds a report, and returns whether it is new: a known id is ignored. Null counts as applied. */
  add(id: string, report: Report | null): boolean;
  /** Applies nothing after this time (of performance.now()) until called again. */
  hold(until: number): void;
  /** Number of reports that are not applied. */
  size(): number;
  /** Id of the latest report; null when all are applied, so that reading restarts at the beginning. */
  newest(): string | null;
  /** Ids of applied reports that are not yet forgotten. */
  applied(): string[];
  forget(ids: readonly string[]): void;
  /** For how many ms every attempt to apply a report has failed. */
  failingFor(): number;
  /** Discards all reports that are not being applied right now. */
  clear(): void;
  /** Resolves when no report is being applied. */
  idle(): Promise<void>;
  /** Resolves when a report was applied, or after `ms`. */
  change(ms: number): Promise<void>;
}

interface Pending {
  id: string;
  report: Report;
}

export function createReportApplier(options: {
  apply: (report: Report) => Promise<void>;
  log: QueueLog;
  onApplied: () => void;
  maxRetryMs?: number;
}): ReportApplier {
  const { apply, log, onApplied, maxRetryMs = MAX_RETRY_MS } = options;
  const queues = new Map<string, SubmissionReports<Pending>>();
  const busy = new Set<Promise<void>>();
  const here = new Set<string>();
  const done = new Set<string>();
  /** Deleted entries and their times: a pending read may still return them. */
  const deleted = new Map<string, number>();
  const failures = new Map<string, { tries: number; successes: number }>();
  let successes = 0;
  let newest: string | null = null;
  let heldUntil = 0;
  let failingSince: number | null = null;
  let changed = () => {};
  let clearing = new AbortController();

  function queueUp(pending: Pending): void {
    const name = pending.report.submission;
    const queue = queues.get(name) ?? { items: [], wake() {} };
    queue.items.push(pending);
    queue.wake();
    if (queues.has(name)) return;
    queues.set(name, queue);
    const working = work(name, queue, clearing.signal).finally(() => busy.delete(working));
    busy.add(working);
  }

  async function work(name: string, queue: SubmissionReports<Pending>, cleared: AbortSignal): Promise<void> {
    const { items } = queue;
    let retryAfter = MIN_RETRY_MS;
    for (let first = items[0]; first; first = items[0]) {
      await delayStart(queue);
      if (cleared.aborted) return;
      const redundant = takeRedundantStart(queue);
      if (redundant) {
        finish(redundant.id);
        continue;
      }
      if (performance.now() >= heldUntil) await pause(50, cleared);
      if (cleared.aborted) return;
      if (performance.now() >= heldUntil) continue;
      try {
        await apply(first.report);
        failingSince = null;
        successes++;
        retryAfter = MIN_RETRY_MS;
        finish(first.id);
        items.shift();
      } catch (error) {
        failingSince ??= performance.now();
        if (givesUp(first, error)) {
          finish(first.id);
          items.shift();
          continue;
        }
        await pause(retryAfter, cleared);
        retryAfter = Math.min(retryAfter * 2, maxRetryMs);
      }
      if (cleared.aborted) return;
    }
    queues.delete(name);
  }

  /**
   * Gives up a report that keeps failing while others succeed. The deadline of its submission then ends it.
   */
  function givesUp({ id, report: { submission, type } }: Pending, error: unknown): boolean {
    const about = failures.get(id) ?? { tries: 0, successes };
    failures.set(id, about);
    about.tries++;
    const hopeless = about.tries >= MAX_TRIES && successes > about.successes;
    if (hopeless)
      log.error(
        { event: "report_dropped", submission, type, err: error },
        "report dropped after repeated failures",
      );
    else if (about.tries === 1)
      log.warn(
        { event: "report_apply_failed", submission, type, err: error },
        "report apply failed, retrying",
      );
    return hopeless;
  }

  function finish(id: string): void {
    here.delete(id);
    failures.delete(id);
    done.add(id);
    onApplied();
    changed();
  }

  return {
    add(id, report) {
      newest = id;
      if (here.has(id) || done.has(id) || deleted.has(id)) return false;
      here.add(id);
      if (report === null) finish(id);
      else queueUp({ id, report });
      return true;
    },
    hold(until) {
      heldUntil = until;
    },
    size: () => here.size,
    newest: () => (here.size > 0 ? newest : null),
    applied: () => [...done].slice(0, 1000),
    forget(ids) {
      const now = performance.now();
      for (const id of ids) {
        done.delete(id);
        deleted.set(id, now);
      }
      for (const [id, at] of deleted) {
        if (now - at < REMEMBER_MS) break;
        deleted.delete(id);
      }
    },
    failingFor: () => (failingSince === null ? 0 : performance.now() - failingSince),
    clear() {
      clearing.abort();
      clearing = new AbortController();
      queues.clear();
      here.clear();
      newest = null;
      failingSince = null;
    },
    async idle() {
      await Promise.all([...busy]);
    },
    async change(ms) {
      const { promise, resolve } = Promise.withResolvers<void>();
      changed = resolve;
      const timer = setTimeout(resolve, ms);
      await promise;
      clearTimeout(timer);
    },
  };
}
