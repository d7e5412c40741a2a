import type { Limits, Submission } from "@crowdai/shared";
import { readLeaderboard, readLimits } from "../../client/http/broker-queries.ts";
import type { HttpClient } from "../../client/http/http-client.ts";

const TIMEOUT_MS = 3_000;

/** The number of ranked participants and the slots left; null for what could not be read. */
export interface Standing {
  total: number | null;
  limits: Limits | null;
}

/** Reads what stands around a grade. A failure or a slow answer only leaves it out. */
export async function readStanding(
  http: HttpClient,
  { challenge, round }: Submission,
  stop: AbortSignal,
): Promise<Standing> {
  const options = { round, signal: AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]) };
  const [board, limits] = await Promise.allSettled([
    readLeaderboard(http, challenge, { ...options, limit: 1 }),
    readLimits(http, challenge, options),
  ]);
  return {
    total: board.status === "fulfilled" ? board.value.total : null,
    limits: limits.status === "fulfilled" ? limits.value : null,
  };
}
