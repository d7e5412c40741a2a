import type { Job, RunStage } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { StepChannel } from "@crowdai/shared/step-channel";
import type { Launch } from "../evaluators/process/launch.ts";
import type { Evaluator } from "../evaluators/protocol/evaluator.ts";
import type { LiveEvaluatorEvent } from "../evaluators/protocol/events.ts";
import type { RunTools } from "../run/code-run.ts";
import type { Workspace } from "./workspace.ts";

/** One job, with all that is needed to grade it. */
export interface Grading {
  job: Job;
  folder: ChallengeFolder;
  evaluator: Evaluator;
  /** How the environment of a challenge with `environment` starts. */
  environment?: Launch | null;
  /** Carries the requests of remote agents. */
  steps?: StepChannel | undefined;
  /** The name of the grader. */
  grader?: string;
  /** A note for the organizer's log, besides the evaluator's own output. */
  notice: string | null;
  workspace: Workspace;
  objects: ObjectStore;
  /** Runs submitted code; needed for challenges with `run` alone. */
  runTools?: (() => RunTools) | undefined;
  /** Whether code is run on the sample alone. */
  sampleOnly?: boolean;
  signal: AbortSignal;
  onEvent(event: LiveEvaluatorEvent): void;
  /** Called when a stage of a run begins. */
  onStage?(stage: RunStage): void;
}
