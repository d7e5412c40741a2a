import { MAX_CALL_VALUES } from "@crowdai/shared";
import { z } from "zod";

const name = z.string().max(100).nullish();

/** Event `authenticate`. */
export const authenticateSchema = z.object({
  API_KEY: z.string().max(200),
  challenge_id: name,
  challenge_client_name: name,
});
export type AuthenticateRequest = z.infer<typeof authenticateSchema>;

/**
 * Event `execute_function`. Older clients name the challenge by `challenge_id`, newer ones by the other two.
 */
export const executeSchema = z.object({
  response_channel: z.string(),
  session_token: z.string(),
  api_key: z.string(),
  challenge_id: name,
  challenge_client_name: name,
  grader_id: name,
  function_name: z.string().max(100),
  data: z.array(z.unknown()).min(1).max(MAX_CALL_VALUES),
  dry_run: z.boolean().default(false),
  parallel: z.boolean().default(false),
});
export type ExecuteRequest = z.infer<typeof executeSchema>;

/** An entry of `data` for `grade_submission`: a file that was uploaded before. */
export const gradeEntrySchema = z.object({
  file_key: z.string().min(1).max(200),
  round: z.union([z.number().int(), z.string().max(100)]).nullish(),
  small_test: z.boolean().nullish(),
});

const EVENT = "CrowdAI.Event";
export const AUTHENTICATION = {
  SUCCESS: `${EVENT}.Authentication.SUCCESS`,
  ERROR: `${EVENT}.Authentication.ERROR`,
} as const;

export type JobState = "ENQUEUED" | "RUNNING" | "PROGRESS_UPDATE" | "INFO" | "COMPLETE" | "ERROR" | "TIMEOUT";

/** The state of a job: progress while it runs, and the outcome in the list that answers the call. */
export interface JobMessage {
  state: JobState;
  message: string;
  data: Record<string, unknown>;
}

export const responseType = (state: JobState): string => `${EVENT}.Job.${state}`;

/**
 * Encodes progress as the client reads it: a JSON string, sent as an event named after its response channel.
 */
export const progressText = (jobId: string, sequence: number, { state, message, data }: JobMessage): string =>
  JSON.stringify({
    response_type: responseType(state),
    job_id: jobId,
    data_sequence_no: sequence,
    message,
    data,
  });

/** Returns one entry of the answer to a call. */
export const answerEntry = ({ state, message, data }: JobMessage) => ({
  response_type: responseType(state),
  message,
  data,
});
