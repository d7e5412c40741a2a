import type { ChallengeConfig } from "./challenge-config.ts";

const DEFAULT_MAX_BYTES = 50 * 1024 * 1024;

/** Whether graders receive the files of a submission's code: to run them, or for the evaluator. */
export function graderGetsCode({ run, code }: Pick<ChallengeConfig, "run" | "code">): boolean {
  return run !== null || code.to_graders;
}

/** Returns the configuration with what `run` implies: that the code is the submission. */
export function withRunImplied(config: ChallengeConfig): ChallengeConfig {
  if (!config.run) return config;
  const { code = { max_bytes: DEFAULT_MAX_BYTES }, model } = config.accepts;
  return { ...config, accepts: { code, model }, code: { ...config.code, capture: "required" } };
}
