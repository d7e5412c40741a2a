import { CrowdaiError } from "@crowdai/shared";
import { BurstyRateLimiter } from "rate-limiter-flexible";
import type { CreateRateLimiter } from "../base/rate-limits.ts";

const STEADY = { points: 20, seconds: 1 };
/** Calls beyond the steady rate, which may arrive at once. */
const BURST = { points: 80, seconds: 60 };

/** Limits the rate of each caller's calls. Throws too_many_requests. */
export interface CallRateLimit {
  consume(caller: string): Promise<void>;
}

export function createCallRateLimit(createRateLimiter: CreateRateLimiter): CallRateLimit {
  const limiter = new BurstyRateLimiter(
    createRateLimiter("legacy-calls", STEADY),
    createRateLimiter("legacy-bursts", BURST),
  );
  return {
    async consume(caller) {
      try {
        await limiter.consume(caller);
      } catch (refused) {
        if (refused instanceof Error) throw refused;
        throw new CrowdaiError("too_many_requests", "Too many calls at once. Wait a second, then continue.");
      }
    },
  };
}
