import type { Caller } from "../participants/keys.ts";
import type { SubmissionRow } from "../records/tables.ts";

/** What the pages do with code, once a code host stands behind the broker. */
export interface CodeParts {
  publish(caller: Caller, id: string): Promise<unknown>;
  unpublish(caller: Caller, id: string): Promise<unknown>;
  /** What changed since the participant's submission before it that has code. Null when there is none before, or no code. */
  diffToPrevious(
    caller: Caller | null,
    row: SubmissionRow,
  ): Promise<{ before: string; text: string; truncated: boolean } | null>;
}
