export { graderGetsCode } from "./challenge-code.ts";
export {
  type ChallengeConfig,
  challengeConfigSchema,
  type RoundConfig,
} from "./challenge-config.ts";
export type { CodabenchConfig } from "./codabench-config.ts";
export { scriptWithFixedPath } from "./codabench-files.ts";
export { readProgramMetadata } from "./codabench-metadata.ts";
export { challengeJsonSchema } from "./config-json-schema.ts";
export type { ConfigProblem } from "./config-problems.ts";
export { type EnvironmentConfig, episodeCount, seedListSchema } from "./environment-config.ts";
export type { JobFactoryConfig, ProcessConfig } from "./evaluator-config.ts";
export { digestFile } from "./file-digest.ts";
export { gradingSeconds } from "./grading-seconds.ts";
export { leftOutFiles } from "./left-out-files.ts";
export { type ChallengeFolder, CONFIG_FILE, loadChallengeFolder } from "./load-challenge-folder.ts";
export { type LoadedChallenges, loadChallenges } from "./load-challenges.ts";
export { namedMetrics } from "./metric-fields.ts";
export type { PublicFile } from "./public-files.ts";
export {
  acceptingRound,
  challengeState,
  limitScope,
  openRound,
  type RoundState,
  roundNumber,
  roundState,
  sortByStart,
} from "./rounds.ts";
export type { RunConfig } from "./run-config.ts";
export { WEBHOOK_EVENTS, type WebhookEvent } from "./webhook-config.ts";
