import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { ProcessLimitTools } from "@crowdai/shared/process-limits";
import type { Confinement } from "../confinement/confinement.ts";
import { createJobFactoryEvaluator } from "./job-factory/job-factory.ts";
import { createBatchEvaluator } from "./process/batch.ts";
import { planLaunch } from "./process/launch.ts";
import { createPersistentEvaluator } from "./process/persistent.ts";
import type { Evaluator } from "./protocol/evaluator.ts";

export interface EvaluatorOptions {
  limitTools: ProcessLimitTools;
  confinement: Confinement;
  /** PATH of the evaluators. */
  path: string;
  /** The folder of the home folders of warm processes. */
  folder: string;
  idleMs: number;
}

/** Creates the evaluator that a challenge folder describes. `notice` tells the organizer about limits that could not be set. */
export function createEvaluator(
  folder: ChallengeFolder,
  options: EvaluatorOptions,
): { evaluator: Evaluator; notice: string | null } {
  const { evaluator: config } = folder.config;
  if ("job_factory" in config) return { evaluator: createJobFactoryEvaluator(config), notice: null };
  const launch = planLaunch(folder, config, options.limitTools, options.path, options.confinement);
  const evaluator =
    launch.mode === "batch"
      ? createBatchEvaluator(launch)
      : createPersistentEvaluator({ launch, folder: options.folder, idleMs: options.idleMs });
  return { evaluator, notice: launch.notice };
}
