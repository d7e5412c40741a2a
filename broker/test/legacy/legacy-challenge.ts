import { randomUUID } from "node:crypto";
import { connectLegacy, type LegacyConnection, type LegacyOptions } from "./legacy-client.ts";

const STATES = ["ENQUEUED", "RUNNING", "PROGRESS_UPDATE", "INFO", "COMPLETE", "ERROR", "TIMEOUT"];

export interface Progress {
  state: string;
  job_id: string;
  data_sequence_no: number;
  message: string;
  data: Record<string, unknown>;
}
export interface AnswerEntry {
  response_type: string;
  message: string;
  data: Record<string, unknown>;
}
export interface Called {
  answer: AnswerEntry[];
  progress: Progress[];
}

/**
 * A challenge as a participant's script uses it, as strict about responses as the published Python client.
 */
export interface LegacyChallenge {
  connection: LegacyConnection;
  token: string;
  upload(bytes: string | Uint8Array): Promise<string>;
  /** Builds the message of a call, which tests may change before they send it. */
  message(function_name: string, data: unknown, more?: Record<string, unknown>): Record<string, unknown>;
  call(function_name: string, data: unknown, more?: Record<string, unknown>): Promise<Called>;
  /** Uploads a file and has it graded. */
  submit(bytes: string | Uint8Array, more?: Record<string, unknown>): Promise<Called>;
}

/** Connects and authenticates. Rejects with the broker's message, or "Authentication Timeout". */
export async function openChallenge(
  url: string,
  api_key: string,
  challenge_id = "test",
  options: LegacyOptions = {},
): Promise<LegacyChallenge> {
  const connection = await connectLegacy(url, options);
  const token = await authenticate(connection, api_key, challenge_id).catch((error) => {
    connection.close();
    throw error;
  });

  const challenge: LegacyChallenge = {
    connection,
    token,
    async upload(bytes) {
      const slot = await fetch(`${url}/api/external_graders/${api_key}/presign`);
      if (slot.status !== 200) throw new Error(`presign: ${slot.status}`);
      const { presigned_url, s3_key } = (await slot.json()) as { presigned_url: string; s3_key: string };
      // The client ignores the response.
      await (await fetch(presigned_url, { method: "PUT", body: Buffer.from(bytes as string) })).arrayBuffer();
      return s3_key;
    },
    message: (function_name, data, more = {}) => ({
      response_channel: `${challenge_id}::${randomUUID()}`,
      session_token: token,
      api_key,
      challenge_id,
      function_name,
      data,
      dry_run: false,
      parallel: false,
      ...more,
    }),
    async call(function_name, data, more) {
      const message = challenge.message(function_name, data, more);
      const progress: Progress[] = [];
      connection.on(String(message.response_channel), (text) => progress.push(readProgress(text)));
      const answer = await connection.emit("execute_function", message);
      return { answer: readAnswer(answer), progress };
    },
    submit: async (bytes, more) =>
      challenge.call("grade_submission", [{ file_key: await challenge.upload(bytes) }], more),
  };
  return challenge;
}

async function authenticate(
  connection: LegacyConnection,
  API_KEY: string,
  challenge_id: string,
): Promise<string> {
  let response: { response_type?: string; session_token?: string; message?: string } = {};
  connection.on("authenticate_response", (argument) => {
    response = argument as typeof response;
  });
  await connection.emit("authenticate", { API_KEY, challenge_id, client_version: "1.0.22" });
  // The client ignores what arrives after the acknowledgement.
  const { response_type, session_token, message } = response;
  if (response_type === "CrowdAI.Event.Authentication.SUCCESS" && session_token) return session_token;
  throw new Error(
    response_type === "CrowdAI.Event.Authentication.ERROR" ? message : "Authentication Timeout",
  );
}

function readProgress(text: unknown): Progress {
  const { response_type, ...rest } = JSON.parse(text as string) as Omit<Progress, "state"> & {
    response_type: string;
  };
  const state = response_type.replace(/^CrowdAI\.Event\.Job\./, "");
  const sequenced = rest.data_sequence_no >= 0 || state === "INFO" || state === "COMPLETE";
  if (!STATES.includes(state) || typeof rest.job_id !== "string" || !sequenced)
    throw new Error(`Malformed response: ${text}`);
  return { state, ...rest };
}

function readAnswer(answer: unknown): AnswerEntry[] {
  for (const { response_type, message, data } of answer as AnswerEntry[]) {
    // The client copies both into the data.
    if (typeof data !== "object" || data === null || Array.isArray(data))
      throw new Error("data is not an object");
    if (!/^CrowdAI\.Event\.Job\.(COMPLETE|ERROR)$/.test(response_type) || typeof message !== "string")
      throw new Error(`Malformed response: ${JSON.stringify(answer)}`);
  }
  return answer as AnswerEntry[];
}
