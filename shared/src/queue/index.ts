export { createEmbeddedQueue } from "./embedded-queue.ts";
export type { AttachedGrader, Consumption, Delivery, JobQueue, Recovery } from "./job-queue.ts";
