import { relative } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import type { ProcessLimitTools } from "@crowdai/shared/process-limits";
import { findUnreadable } from "../base/make-readable.ts";
import type { Sandbox } from "../box/sandbox.ts";
import type { Confinement } from "../confinement/confinement.ts";
import { createJobFactoryEvaluator } from "./job-factory/job-factory.ts";
import { withAppFolder } from "./process/app-folder.ts";
import { createBatchEvaluator } from "./process/batch.ts";
import { type Launch, planLaunch } from "./process/launch.ts";
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

export interface CreatedEvaluator {
  evaluator: Evaluator;
  /** For the organizer, about limits that could not be set. */
  notice: string | null;
  /** How an environment starts, of which each session has its own. Null for other evaluators. */
  environment: Launch | null;
}

/** Creates the evaluator that a challenge folder describes. */
export function createEvaluator(folder: ChallengeFolder, options: EvaluatorOptions): CreatedEvaluator {
  const { evaluator: config } = folder.config;
  const only = (evaluator: Evaluator) => ({ evaluator, notice: null, environment: null });
  if ("job_factory" in config) return only(createJobFactoryEvaluator(config));
  const sandbox = config.sandbox === "none" ? null : options.sandbox();
  if (config.sandbox !== "none" && !sandbox) throw new CrowdaiError("sandbox_unavailable");
  const unreadable = sandbox ? findUnreadable(folder.dir) : null;
  if (unreadable !== null) return only(createUnreadableEvaluator(folder.dir, unreadable));
  const planned = planLaunch(folder, config, options.limitTools, options.path, options.confinement, sandbox);
  const launch = "codabench" in config ? withAppFolder(planned, options.folder) : planned;
  const { notice } = launch;
  if (launch.mode === "environment") return { evaluator: noEvaluator, notice, environment: launch };
  const evaluator =
    launch.mode === "batch"
      ? createBatchEvaluator(launch)
      : createPersistentEvaluator({ launch, folder: options.folder, idleMs: options.idleMs });
  return { evaluator, notice, environment: null };
}

/**
 * Stands for an environment where an evaluator is expected: agents step it, and it evaluates no submissions.
 */
const noEvaluator: Evaluator = {
  evaluate: () => Promise.reject(new CrowdaiError("unexpected", "An environment evaluates no submissions.")),
  close: async () => {},
};

/** The program in a box has a user of its own, whom the organizer's files may exclude. */
function createUnreadableEvaluator(dir: string, unreadable: string): Evaluator {
  const which = relative(dir, unreadable) || "The challenge folder";
  const detail = `${which} cannot be read in the box: let all users read the folder with chmod -R o+rX`;
  return {
    evaluate: async () => ({ verdict: evaluatorFailure("evaluator_crashed", detail), stderr: "" }),
    close: async () => {},
  };
}
