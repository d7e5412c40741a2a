export type { Logger } from "./base/log.ts";
export type { Grader, GraderOptions } from "./jobs/grader.ts";
export { createGrader } from "./jobs/grader.ts";
