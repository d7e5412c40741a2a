export { createEmbeddedQueue } from "./embedded-queue.ts";
export type { AttachedGrader, Consumption, Delivery, JobQueue } from "./job-queue.ts";
