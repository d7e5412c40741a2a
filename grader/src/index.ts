export { CrowdaiError } from "@crowdai/shared";
export { type ChallengeFolder, loadChallengeFolder } from "@crowdai/shared/challenge-folder";
export type { ObjectStore } from "@crowdai/shared/objects";
export type { JobQueue } from "@crowdai/shared/queue";
export type { Logger } from "./base/log.ts";
export type { Grader, GraderOptions } from "./jobs/grader.ts";
export { createGrader } from "./jobs/grader.ts";
export { type BackendSettings, type Backends, openBackends } from "./startup/open-backends.ts";
