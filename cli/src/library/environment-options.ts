import type { FollowOptions } from "../submit/follow.ts";

/**
 * Options of {@link Challenge.environment}.
 *
 * @example
 * const options: EnvironmentOptions = { message: "PPO, 2M steps", onProgress: (progress) => console.error(progress) };
 */
export interface EnvironmentOptions {
  /**
   * Id of the submission, 8 to 64 letters, digits, - or _; a session that exists is joined. Default:
   * CROWDAI_SUBMISSION, which `crowdai run` sets, for the first session of a program; else a new one.
   */
  id?: string;
  /** Id or number of the round. Default: the open round. */
  round?: string | number;
  /** Message to store with the submission. */
  message?: string;
  /** Called whenever the progress has changed, such as the queue position. */
  onProgress?: FollowOptions["onProgress"];
  /** Called for each numbered event, once and in order. */
  onEvent?: FollowOptions["onEvent"];
  /** Ends all calls with `interrupted` when aborted; the session is then left to its own limits. */
  signal?: AbortSignal;
}
