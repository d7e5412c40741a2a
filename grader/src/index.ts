export type { Grader, GraderOptions } from "./jobs/grader.ts";
export { createGrader } from "./jobs/grader.ts";
export type { Logger } from "./log.ts";
