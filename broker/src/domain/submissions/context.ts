import type { SubmissionEvent } from "@crowdai/shared";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { JobQueue } from "@crowdai/shared/queue";
import type { Logger } from "pino";
import type { TrustedProxies } from "../../base/client-address.ts";
import type { Clock } from "../../base/clock.ts";
import type { Records } from "../../records/records.ts";
import type { SubmissionRow } from "../../records/tables.ts";
import type { Catalog } from "../challenges/catalog.ts";
import type { AttachedGraders } from "../graders/attached-graders.ts";
import type { GradingTimes } from "../graders/grading-times.ts";
import type { QueuePositions } from "../graders/queue-positions.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Webapp } from "../webapp/webapp.ts";

/** What the life of a submission needs. Made once, in broker.ts. */
export interface SubmissionContext {
  records: Records;
  objects: ObjectStore;
  queue: JobQueue;
  webapp: Webapp;
  catalog: Catalog;
  graders: AttachedGraders;
  gradingTimes: GradingTimes;
  queuePositions: QueuePositions;
  metrics: Pick<Metrics, "refused" | "uploaded">;
  clock: Clock;
  log: Logger;
  /** Where clients reach this broker, without a slash at the end. */
  baseUrl: () => string;
  /** Proxies whose word about a client's address counts. */
  trustedProxies: TrustedProxies;
  /** Called after the commit that wrote them, in order. */
  announce: (events: SubmissionEvent[]) => void;
  /** Asks the dispatcher to put in line what is not, or this one that was just committed. */
  dispatchSoon: (row?: SubmissionRow) => void;
  /** Whether the queue refused the latest try to put jobs in line. */
  dispatchStalled: () => boolean;
}
