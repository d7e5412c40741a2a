import type { CodeOutcome } from "../snapshot/send/code-outcome.ts";
import type { FollowOptions } from "../submit/follow.ts";
import type { ModelFile } from "../submit/models.ts";

/**
 * Options of {@link Challenge.submit}.
 *
 * @example
 * const options: SubmitOptions = { message: "Deeper trees", timeoutMs: 60_000, code: true };
 */
export interface SubmitOptions extends FollowOptions {
  /** Id or number of the round. Default: the open round. */
  round?: string | number;
  /** Message to store with the submission. */
  message?: string;
  /** Name of the file that the broker stores. Default: the name of the file; for a stream "predictions". */
  name?: string;
  /** Whether to wait for the grade; `false` resolves as soon as the submission is accepted. Default: true. */
  wait?: boolean;
  /**
   * Code to include: `true` for the project of the running script, or a path for the project in that folder.
   * The rules for excluded files and secrets are those of `crowdai submit --code`. Default: none.
   */
  code?: boolean | string;
  /**
   * Whether the code may be published when the challenge closes, which requires the MIT license. Default:
   * false.
   */
  publish?: boolean;
  /** Includes the code even if it seems to contain secrets. Default: false. */
  allowSecrets?: boolean;
  /**
   * Called when it is known whether the broker has the code. A submission never fails because of its code.
   */
  onCode?: (outcome: CodeOutcome | null) => void;
  /**
   * Id of your own: 8 to 64 letters, digits, - or _. Submitting again with the same id is the same
   * submission.
   */
  id?: string;
  /**
   * Folder for notes about unfinished submissions. The same submission made again, even after a crash,
   * continues with the parts of its file that have not arrived. Not needed together with `id`, which does the
   * same. Default: none.
   */
  journal?: string;
  /** Model files to store with the submission: paths, or `{ file, name }`. */
  models?: readonly (ModelFile | string)[];
  /**
   * Whether to run the challenge's check before anything is sent. The grader runs it in any case. Default:
   * true.
   */
  check?: boolean;
  /** Stops waiting when aborted; an accepted submission continues. */
  signal?: AbortSignal;
}
