import { markedStep } from "../../marked-steps.ts";
import type { Report } from "../../protocol/job.ts";
import { pause } from "../pause.ts";
import { createBatches } from "./batches.ts";
import type { QueueLog } from "./queue-log.ts";
import type { ReconnectingConnection } from "./reconnecting-connection.ts";
import { REPORT } from "./report-scripts.ts";
import { runScript } from "./script.ts";

const RETRY_MS = 200;
/** How long a stopping grader retries a report. */
const SHUTDOWN_MS = 5000;
/** More reports than this wait only while Redis is unreachable. Progress and log lines are then dropped. */
const MAX_WAITING = 5000;

/**
 * Sends the reports of this process to Redis, in order. They wait while Redis is unreachable, so that an
 * outage does not repeat a finished grading; but only for a limited time once the graders of this process are
 * stopping.
 */
export function createReportOutbox(options: {
  connection: ReconnectingConnection;
  base: string;
  log: QueueLog;
  stopping: () => boolean;
  closing: AbortSignal;
}): (report: Report) => Promise<void> {
  const { connection, base, log, stopping, closing } = options;
  const batches = createBatches<[submission: string, text: string]>({
    send,
    maxItems: 200,
    maxWeight: 1_000_000,
    weigh: ([, text]) => text.length,
  });

  async function send(reports: readonly (readonly [string, string])[]): Promise<void> {
    let stoppingSince: number | null = null;
    let warned = false;
    for (;;)
      try {
        await markedStep("queue.report", () =>
          connection.use((client) => runScript(client, base, REPORT, reports.flat())),
        );
        return;
      } catch (error) {
        if (stopping()) stoppingSince ??= performance.now();
        const late = stoppingSince !== null && performance.now() - stoppingSince > SHUTDOWN_MS;
        if (closing.aborted || late) throw error;
        if (!warned)
          log.warn(
            { event: "reports_delayed", err: error, reports: reports.length },
            "reports delayed until Redis responds",
          );
        warned = true;
        await pause(RETRY_MS, closing);
      }
  }

  return (report) => {
    if (closing.aborted) return Promise.reject(new Error("The queue is closed."));
    if (batches.size >= MAX_WAITING && (report.type === "progress" || report.type === "log"))
      return Promise.reject(new Error("Too many reports are waiting for Redis."));
    return batches.add([report.submission, JSON.stringify(report)]);
  };
}
