import { relative } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { ProcessLimitTools } from "@crowdai/shared/process-limits";
import { findUnreadable } from "../base/make-readable.ts";
import type { Sandbox } from "../box/sandbox.ts";
import type { Confinement } from "../confinement/confinement.ts";
import { createJobFactoryEvaluator } from "./job-factory/job-factory.ts";
import { createBatchEvaluator } from "./process/batch.ts";
import { planLaunch } from "./process/launch.ts";
import { createPersistentEvaluator } from "./process/persistent.ts";
import type { Evaluator } from "./protocol/evaluator.ts";
import { evaluatorFailure } from "./protocol/evaluator-failure.ts";

export interface EvaluatorOptions {
  limitTools: ProcessLimitTools;
  confinement: Confinement;
  /** Returns the boxes of this machine; null when they cannot be used. */
  sandbox: () => Sandbox | null;
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
  const sandbox = config.sandbox === "none" ? null : options.sandbox();
  if (config.sandbox !== "none" && !sandbox) throw new CrowdaiError("sandbox_unavailable");
  const unreadable = sandbox ? findUnreadable(folder.dir) : null;
  if (unreadable !== null)
    return { evaluator: createUnreadableEvaluator(folder.dir, unreadable), notice: null };
  const launch = planLaunch(folder, config, options.limitTools, options.path, options.confinement, sandbox);
  const evaluator =
    launch.mode === "batch"
      ? createBatchEvaluator(launch)
      : createPersistentEvaluator({ launch, folder: options.folder, idleMs: options.idleMs });
  return { evaluator, notice: launch.notice };
}

/** The program in a box has a user of its own, whom the organizer's files may exclude. */
function createUnreadableEvaluator(dir: string, unreadable: string): Evaluator {
  const which = relative(dir, unreadable) || "The challenge folder";
  const detail = `${which} cannot be read in the box: let all users read the folder with chmod -R o+rX`;
  return {
    evaluate: async () => ({ verdict: evaluatorFailure("evaluator_crashed", detail), stderr: "" }),
    close: async () => {},
  };
}
