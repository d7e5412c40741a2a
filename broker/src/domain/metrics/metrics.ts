import type { Report, SubmissionEvent } from "@crowdai/shared";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

const ACCEPT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const GRADING_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200];

/**
 * The metrics of this broker. Counters start at 0 with the process; the fleet's value is the sum over its
 * brokers.
 */
export interface Metrics {
  /** Counts events of a challenge that this broker wrote; called after their commit. */
  written(challenge: string, events: readonly SubmissionEvent[]): void;
  /** Records the duration of an evaluation. */
  graded(challenge: string, ms: number): void;
  /** Counts a late report that changed nothing. */
  refused(type: Report["type"]): void;
  /** Counts verified bytes in the object store. */
  uploaded(bytes: number): void;
  /**
   * Adds a number that is read at each scrape. `read` returns one number, or one for each value of `label`.
   */
  gauge(name: string, help: string, read: () => Promise<Reading>, label?: string): void;
  /** Returns the metrics as Prometheus text. */
  scrape(): Promise<string>;
  readonly contentType: string;
  close(): void;
}

type Reading = number | Iterable<readonly [value: string, number]>;

/** Several scrapers, or a hostile one, cost no more than one. */
const FRESH_MS = 1000;

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];

  const accepted = new Counter({
    name: "crowdai_submissions_accepted_total",
    help: "Submissions that were acknowledged.",
    labelNames: ["challenge"],
    registers,
  });
  const ended = new Counter({
    name: "crowdai_submissions_ended_total",
    help: "Submissions that ended: graded, failed or cancelled, with the error code.",
    labelNames: ["challenge", "state", "code"],
    registers,
  });
  const starts = new Counter({
    name: "crowdai_deliveries_total",
    help: "Times that a grader started a submission.",
    labelNames: ["challenge"],
    registers,
  });
  const requeues = new Counter({
    name: "crowdai_requeues_total",
    help: "Jobs returned to the queue because their grader was lost, stopped or unresponsive.",
    labelNames: ["challenge"],
    registers,
  });
  const poison = new Counter({
    name: "crowdai_poison_total",
    help: "Submissions given up because their grader was lost each time.",
    labelNames: ["challenge"],
    registers,
  });
  const late = new Counter({
    name: "crowdai_late_reports_refused_total",
    help: "Reports of an older attempt or delivery, or of a submission that had ended.",
    labelNames: ["type"],
    registers,
  });
  const bytes = new Counter({
    name: "crowdai_upload_bytes_total",
    help: "Bytes of accepted uploads.",
    registers,
  });
  const acceptSeconds = new Histogram({
    name: "crowdai_accept_seconds",
    help: "Time from the arrival of a value, or of the message that its bytes are uploaded, to its commit.",
    buckets: ACCEPT_SECONDS,
    registers,
  });
  const gradingSeconds = new Histogram({
    name: "crowdai_grading_seconds",
    help: "Time from the start of an evaluation to its verdict.",
    labelNames: ["challenge"],
    buckets: GRADING_SECONDS,
    registers,
  });

  function count(challenge: string, event: SubmissionEvent): void {
    const code = typeof event.data.code === "string" ? event.data.code : "";
    switch (event.type) {
      case "submitted":
        accepted.inc({ challenge });
        acceptSeconds.observe(Math.max(0, Date.now() - Date.parse(event.at)) / 1000);
        break;
      case "grading":
        starts.inc({ challenge });
        break;
      case "requeued":
        requeues.inc({ challenge });
        break;
      case "graded":
      case "failed":
      case "cancelled":
        ended.inc({ challenge, state: event.type, code });
        if (code === "gave_up") poison.inc({ challenge });
        break;
    }
  }

  let latest: Promise<string> | null = null;
  let forget: NodeJS.Timeout | undefined;

  return {
    contentType: registry.contentType,
    written(challenge, events) {
      for (const event of events) count(challenge, event);
    },
    graded: (challenge, ms) => gradingSeconds.observe({ challenge }, Math.max(0, ms) / 1000),
    refused: (type) => late.inc({ type }),
    uploaded: (size) => bytes.inc(size),
    gauge(name, help, read, label) {
      new Gauge({
        name,
        help,
        labelNames: label ? [label] : [],
        registers,
        async collect() {
          this.reset();
          // A number that cannot be read is left out; the others are still reported.
          const reading = await read().catch(() => []);
          if (typeof reading === "number") this.set(reading);
          else for (const [value, number] of reading) this.set({ [label ?? "name"]: value }, number);
        },
      });
    },
    scrape() {
      latest ??= registry.metrics().finally(() => {
        forget = setTimeout(() => {
          latest = null;
        }, FRESH_MS);
        forget.unref();
      });
      return latest;
    },
    close() {
      clearTimeout(forget);
      registry.clear();
    },
  };
}
