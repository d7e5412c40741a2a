import { Writable } from "node:stream";
import {
  type Leaderboard,
  type Limits,
  leaderboardSchema,
  limitsSchema,
  type Submission,
  submissionSchema,
} from "@crowdai/shared";
import { z } from "zod";
import type { HttpClient } from "./http-client.ts";

/** A list of submissions, as the routes that return several answer. */
export const submissionsSchema = z.object({ submissions: z.array(submissionSchema) });
const challengePath = (id: string) => `/api/v1/challenges/${encodeURIComponent(id)}`;

interface ReadOptions {
  round?: string | number;
  limit?: number;
  offset?: number;
  signal?: AbortSignal;
}

/** Returns the participant's limits in a round of a challenge; in the open round if none is given. */
export function readLimits(
  http: HttpClient,
  challenge: string,
  { round, signal }: ReadOptions = {},
): Promise<Limits> {
  return http.get(`${challengePath(challenge)}/limits`, limitsSchema, { round }, signal);
}

/** Returns one page of a leaderboard. */
export function readLeaderboard(
  http: HttpClient,
  challenge: string,
  options: ReadOptions & { board?: Leaderboard["board"] } = {},
): Promise<Leaderboard> {
  const { round, limit, offset, board, signal } = options;
  return http.get(
    `${challengePath(challenge)}/leaderboard`,
    leaderboardSchema,
    { round, limit, offset, board },
    signal,
  );
}

/** Returns a whole leaderboard as CSV, without the end of its last line. */
export async function readLeaderboardCsv(
  http: HttpClient,
  challenge: string,
  query: { round?: string; board?: Leaderboard["board"] },
): Promise<string> {
  const chunks: Buffer[] = [];
  const to = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  await http.download(`${challengePath(challenge)}/leaderboard.csv?${new URLSearchParams(query)}`, { to });
  return Buffer.concat(chunks).toString("utf8").trimEnd();
}

/** Returns a submission. Throws submission_unknown. */
export function readSubmission(http: HttpClient, id: string, signal?: AbortSignal): Promise<Submission> {
  return http.get(`/api/v1/submissions/${encodeURIComponent(id)}`, submissionSchema, {}, signal);
}

/** Returns the participant's latest submissions to a challenge, newest first. */
export async function readSubmissions(
  http: HttpClient,
  challenge: string,
  { limit, signal }: ReadOptions = {},
): Promise<Submission[]> {
  return (await http.get("/api/v1/submissions", submissionsSchema, { challenge, limit }, signal)).submissions;
}

/** Selects a submission for the final ranking of its round, or removes it from the selection. */
export function selectSubmission(
  http: HttpClient,
  id: string,
  { remove = false, signal }: { remove?: boolean | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Submission> {
  const path = `/api/v1/submissions/${encodeURIComponent(id)}/${remove ? "unselect" : "select"}`;
  return http.post(path, {}, submissionSchema, { repeatable: true, ...(signal ? { signal } : {}) });
}
