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

export const submissionsSchema = z.object({ submissions: z.array(submissionSchema) });
const challengePath = (id: string) => `/api/v1/challenges/${encodeURIComponent(id)}`;

interface Reading {
  round?: string | number;
  limit?: number;
  offset?: number;
  signal?: AbortSignal;
}

export function readLimits(
  http: HttpClient,
  challenge: string,
  { round, signal }: Reading = {},
): Promise<Limits> {
  return http.get(`${challengePath(challenge)}/limits`, limitsSchema, { round }, signal);
}

export function readLeaderboard(
  http: HttpClient,
  challenge: string,
  asked: Reading & { board?: Leaderboard["board"] } = {},
): Promise<Leaderboard> {
  const { round, limit, offset, board, signal } = asked;
  return http.get(
    `${challengePath(challenge)}/leaderboard`,
    leaderboardSchema,
    { round, limit, offset, board },
    signal,
  );
}

export function readSubmission(http: HttpClient, id: string, signal?: AbortSignal): Promise<Submission> {
  return http.get(`/api/v1/submissions/${encodeURIComponent(id)}`, submissionSchema, {}, signal);
}

export async function readSubmissions(
  http: HttpClient,
  challenge: string,
  { limit, signal }: Reading = {},
): Promise<Submission[]> {
  return (await http.get("/api/v1/submissions", submissionsSchema, { challenge, limit }, signal)).submissions;
}
