import type { ChallengeConfig } from "./challenge-config.ts";

const DEFAULT_MAX_BYTES = 50 * 1024 * 1024;

/** Whether graders receive the files of a submission's code: to run them, or for the evaluator. */
export function graderGetsCode({
  run,
  environment,
  code,
}: Pick<ChallengeConfig, "run" | "environment" | "code">): boolean {
  return run !== null || environment !== null || code.to_graders;
}

/**
 * Returns the configuration with what `run` and `environment` imply: that code, or an agent, is the
 * submission.
 */
export function withCodeImplied(config: ChallengeConfig): ChallengeConfig {
  const { run, environment } = config;
  if (!run && !environment) return config;
  const { code = { max_bytes: DEFAULT_MAX_BYTES }, model } = config.accepts;
  if (run) return { ...config, accepts: { code, model }, code: { ...config.code, capture: "required" } };
  const takesCode = environment!.agents.includes("code");
  return { ...config, accepts: { ...(takesCode ? { code } : {}), model } };
}

/** Returns the content of challenge.json with `environment.gym` as the evaluator, where it names no other. */
export function withGymEvaluator(content: unknown): unknown {
  const { evaluator, environment } = (content ?? {}) as {
    evaluator?: unknown;
    environment?: { gym?: unknown };
  };
  const gym = environment?.gym;
  return evaluator === undefined && gym !== undefined
    ? { ...(content as object), evaluator: { gym } }
    : content;
}
