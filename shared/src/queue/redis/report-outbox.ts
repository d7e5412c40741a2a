import { setTimeout as sleep } from "node:timers/promises";
import type { Report } from "../../protocol/job.ts";
import { createBatches } from "./batches.ts";
import type { QueueLog } from "./queue-log.ts";
import type { ReconnectingConnection } from "./reconnecting-connection.ts";
import { REPORT } from "./report-scripts.ts";
import { runScript } from "./script.ts";

const RETRY_MS = 200;
/** How long a report is tried by a grader that stops. */
const SHUTDOWN_MS = 5000;
/** More than this wait only while Redis is away; progress and log lines are then given up. */
const MAX_WAITING = 5000;

/**
 * Reports of this process on their way to Redis, in order. They wait while it is away, for a grade that was made is not made
 * again for an outage; but not for ever once the graders here are stopping.
 */
export function createReportOutbox(options: {
  link: ReconnectingConnection;
  base: string;
  log: QueueLog;
  stopping: () => boolean;
  closing: AbortSignal;
}): (report: Report) => Promise<void> {
  const { link, base, log, stopping, closing } = options;
  const batches = createBatches<[submission: string, text: string]>({
    send,
    maxItems: 200,
    maxWeight: 1_000_000,
    weigh: ([, text]) => text.length,
  });

  async function send(reports: readonly (readonly [string, string])[]): Promise<void> {
    let stoppingSince: number | null = null;
    for (let tries = 1; ; tries++)
      try {
        await link.use((client) => runScript(client, base, REPORT, reports.flat()));
        return;
      } catch (error) {
        if (stopping()) stoppingSince ??= performance.now();
        const late = stoppingSince !== null && performance.now() - stoppingSince > SHUTDOWN_MS;
        if (closing.aborted || late) throw error;
        if (tries === 1) log.warn({ err: error, reports: reports.length }, "reports wait for Redis");
        await sleep(RETRY_MS, undefined, { signal: closing }).catch(() => {});
      }
  }

  return (report) => {
    if (closing.aborted) return Promise.reject(new Error("The queue was closed."));
    if (batches.size >= MAX_WAITING && (report.type === "progress" || report.type === "log"))
      return Promise.reject(new Error("Too many reports wait for Redis."));
    return batches.add([report.submission, JSON.stringify(report)]);
  };
}
