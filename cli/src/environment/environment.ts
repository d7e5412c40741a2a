import type { Grade } from "../submit/grade.ts";

/**
 * A set of actions or observations, such as
 * `{ name: "Box", shape: [3], low: [-1, -1, -8], high: [1, 1, 8] }`.
 */
export type EnvironmentSpace = { name: string } & Record<string, unknown>;

/**
 * The description of a session before the first episode.
 *
 * @example
 * const { spaces, episodes }: EnvironmentHello = await env.hello();
 */
export interface EnvironmentHello {
  /** In the form of gym-http-api; ±1e100 stands for an infinite bound. */
  spaces: { action: EnvironmentSpace; observation: EnvironmentSpace };
  /** How many episodes the session plays. */
  episodes: number;
  /** Such as `steps` of an episode, and `idle_seconds`, after which a silent agent is given up. */
  limits: Record<string, number>;
}

/**
 * The answer to a step.
 *
 * @example
 * const { observation, reward, done }: EnvironmentStep<number[]> = await env.step([0.5]);
 */
export interface EnvironmentStep<Observation = unknown> {
  observation: Observation;
  reward: number;
  /** Whether the episode has ended by itself. */
  terminated: boolean;
  /** Whether the episode was ended by a limit, such as its number of steps. */
  truncated: boolean;
  /** Whether the episode is over, for either reason. Reset then. */
  done: boolean;
  info: Record<string, unknown>;
}

/**
 * A session with an environment, which a grader of the challenge hosts. It is a submission: it waits in the
 * queue until a grader has a free environment, plays all episodes, and ends with a grade. Every request is
 * numbered and answered once, so that a cut connection, a restart of the broker or a lost answer neither
 * loses a step nor does one twice. Requests are sent one after the other.
 *
 * @example
 * await using env = await challenge.environment<number[], number[]>();
 * for (let observation = await env.reset(); observation; observation = await env.reset())
 *   for (let done = false; !done; ) ({ observation, done } = await env.step(act(observation)));
 * const grade = await env.submit();
 */
export interface Environment<Observation = unknown, Action = unknown> extends AsyncDisposable {
  /** Id of the submission. */
  readonly id: string;
  /** The episode that is played; 0 before the first reset. */
  readonly episode: number;
  /** The number of steps answered in this episode. */
  readonly steps: number;
  /** The `info` of the latest answer to a reset or step. */
  readonly info: Record<string, unknown>;
  /** Returns spaces, episodes and limits, once a grader hosts the environment. */
  hello(): Promise<EnvironmentHello>;
  /** Begins the next episode and returns its first observation, or null after the last episode. */
  reset(): Promise<Observation | null>;
  /**
   * Sends an action; typed arrays become arrays. Throws value_not_finite, value_too_large and agent_request.
   */
  step(action: Action): Promise<EnvironmentStep<Observation>>;
  /**
   * Ends the session after its last episode and waits for the grade. Throws agent_request if episodes are
   * left.
   */
  submit(): Promise<Grade>;
  /**
   * Leaves the session. After its last episode it is submitted; before, it is cancelled, which costs the slot
   * if a reset was answered.
   */
  close(): Promise<void>;
}
