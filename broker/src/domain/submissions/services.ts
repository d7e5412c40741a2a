import type { SubmissionEvent } from "@crowdai/shared";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { JobQueue } from "@crowdai/shared/queue";
import type { StepChannel } from "@crowdai/shared/step-channel";
import type { Logger } from "pino";
import type { Records } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { Catalog } from "../challenges/catalog.ts";
import type { SeedsOf } from "../environments/session-seeds.ts";
import type { GradingTimes } from "../graders/grading-times.ts";
import type { QueueStatusSources } from "../graders/queue-status.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Webapp } from "../webapp/webapp.ts";

/**
 * All services that the domain's functions use, composed once at startup. A function names those that it uses
 * with `Needs`.
 */
export interface SubmissionServices extends QueueStatusSources {
  records: Records;
  objects: ObjectStore;
  queue: JobQueue;
  /** Carries the steps of remote agents to the graders that serve their sessions. */
  steps: StepChannel;
  webapp: Webapp;
  catalog: Catalog;
  gradingTimes: GradingTimes;
  metrics: Pick<Metrics, "refused" | "uploaded">;
  /** Derives the seeds of an environment's episodes. */
  seedsOf: SeedsOf;
  log: Logger;
  /** Returns the broker's public URL, without a trailing slash. */
  baseUrl: () => string;
  /** Called in order, after the commit that wrote the events. */
  announce: (challenge: string, events: SubmissionEvent[]) => void;
  /** Asks the dispatcher to queue what waits, or this row that was just committed. */
  dispatchSoon: (row?: SubmissionRow) => void;
}

export type Needs<K extends keyof SubmissionServices> = Pick<SubmissionServices, K>;
