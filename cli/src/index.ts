export type {
  ErrorBody,
  ErrorCode,
  Leaderboard,
  Limits,
  PublicChallenge,
  Submission,
  SubmissionEvent,
} from "@crowdai/shared";
// Not from the package's main entry point, so that importing the library loads only what it needs.
export { CrowdaiError } from "@crowdai/shared/errors";
export { ExactNumber } from "@crowdai/shared/exact-json";
export type {
  Environment,
  EnvironmentHello,
  EnvironmentSpace,
  EnvironmentStep,
} from "./environment/environment.ts";
export { Challenge } from "./library/challenge.ts";
export type { CheckOptions, CheckResult } from "./library/check-from-program.ts";
export type { EnvironmentOptions } from "./library/environment-options.ts";
export type { FileInput } from "./library/file-input.ts";
export type { OpenOptions } from "./library/open-options.ts";
export type { SealedSubmission, SpoolOptions } from "./library/spool-from-program.ts";
export type { StreamInput } from "./library/stream-input.ts";
export type { SubmitOptions } from "./library/submit-options.ts";
export type { SubmitEvent, Submitting } from "./library/submitting.ts";
export type { CodeOutcome } from "./snapshot/send/code-outcome.ts";
export type { Answer, EvaluateOptions, Settled } from "./submit/evaluate-values.ts";
export type { FollowOptions, Progress } from "./submit/follow.ts";
export type { Grade } from "./submit/grade.ts";
export type { ModelFile } from "./submit/models.ts";
