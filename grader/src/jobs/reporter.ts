import type { Outcome, Report, RunStage } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import type { JobQueue } from "@crowdai/shared/queue";
import type { Logger } from "../base/log.ts";
import { removeFolderPaths, sanitizeText } from "../base/sanitize-text.ts";
import type { LiveEvaluatorEvent } from "../evaluators/protocol/events.ts";

const PROGRESS_EVERY_MS = 100;
const LOG_LINES = 1000;
const MAX_LOG_LINE_CHARACTERS = 8 * 1024;

const STAGE_MESSAGES: Record<RunStage, string> = {
  build: "Building the code",
  sample: "Running the code on the sample",
  run: "Running the code on the private input",
  play: "Playing the episodes",
  evaluate: "Evaluating the output",
};

export interface Reporter {
  started(): void;
  event(event: LiveEvaluatorEvent): void;
  /** A stage of a run begins. Progress that follows belongs to it. */
  stage(stage: RunStage): void;
  /** The last report of this delivery. Resolves when the queue has it. */
  finished(outcome: Outcome, organizerLog: string): Promise<void>;
  released(reason: string): Promise<void>;
  /** Discards all further reports. */
  stop(): void;
}

type Body = Report extends infer R ? (R extends Report ? Omit<R, keyof ReportBase> : never) : never;
type ReportBase = Pick<Report, "submission" | "attempt" | "delivery" | "grader">;

/**
 * Sends the reports of one delivery in order. Progress is sent at most every 100 ms, the latest always before
 * the end. Log lines are limited in length and number. The paths in `folders` are removed from every text.
 */
export function createReporter(
  queue: JobQueue,
  base: ReportBase,
  options: { log: Logger; folders: readonly string[] },
): Reporter {
  let waiting: LiveEvaluatorEvent | null = null;
  let timer: NodeJS.Timeout | undefined;
  let lastProgress = Number.NEGATIVE_INFINITY;
  let logLines = 0;
  let stopped = false;
  let began: number | null = null;
  let stage: RunStage | null = null;

  const text = (raw: string, limit?: number) => sanitizeText(removeFolderPaths(raw, options.folders), limit);
  // A lost progress or log report must neither block the evaluator nor fail the job.
  const send = (body: Body) => {
    if (stopped) return;
    markedStep("report.progress", () => queue.report({ ...base, ...body } as Report)).catch((err) =>
      options.log.warn({ event: "report_lost", ...base, type: body.type, err }, `${body.type} report lost`),
    );
  };

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting?.type !== "progress") return;
    const { percent, message } = waiting;
    waiting = null;
    lastProgress = performance.now();
    send({
      type: "progress",
      percent: percent == null ? null : Math.min(100, Math.max(0, percent)),
      message: message == null ? null : text(message),
      ...(stage === null ? {} : { stage }),
    });
  }

  function stop(): void {
    clearTimeout(timer);
    stopped = true;
  }

  async function last(body: Body): Promise<void> {
    if (stopped) return;
    flush();
    stop();
    try {
      await markedStep("report.outcome", () => queue.report({ ...base, ...body } as Report));
    } catch (error) {
      // The job can still be returned to the queue.
      stopped = false;
      throw error;
    }
  }

  return {
    started() {
      began = performance.now();
      send({ type: "started" });
    },
    event(event) {
      if (stopped) return;
      if (event.type === "progress") {
        waiting = event;
        const wait = lastProgress + PROGRESS_EVERY_MS - performance.now();
        if (wait <= 0) flush();
        else timer ??= setTimeout(flush, wait);
        return;
      }
      logLines++;
      if (logLines <= LOG_LINES) send({ type: "log", message: text(event.message, MAX_LOG_LINE_CHARACTERS) });
      else if (logLines === LOG_LINES + 1)
        send({ type: "log", message: `Log truncated after ${LOG_LINES} lines.` });
    },
    stage(next) {
      flush();
      stage = next;
      send({ type: "progress", percent: null, message: STAGE_MESSAGES[next], stage });
    },
    finished: (outcome, organizerLog) =>
      last({
        type: "finished",
        outcome,
        organiser_log: organizerLog,
        seconds: began === null ? null : (performance.now() - began) / 1000,
      }),
    released: (reason) => last({ type: "released", reason }),
    stop,
  };
}
