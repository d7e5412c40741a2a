export type { Grader, GraderOptions } from "./grader.ts";
export { createGrader } from "./grader.ts";
export type { Logger } from "./log.ts";
