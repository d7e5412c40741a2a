import type { SubmissionRow } from "../../records/tables.ts";
import { REPLAY } from "./challenge-functions.ts";
import type { StoredLog } from "./step-log.ts";

/** The session that a call replays: stored with the call. */
export interface ReplayedSession {
  submission: string;
  log: StoredLog;
}

/** Returns the session that a submission replays; null when it is not a replay. */
export function replayedBy({
  function: name,
  input_data,
}: Pick<SubmissionRow, "function" | "input_data">): ReplayedSession | null {
  return name === REPLAY && input_data !== null ? JSON.parse(input_data) : null;
}
