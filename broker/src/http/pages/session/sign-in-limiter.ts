import { CrowdaiError } from "@crowdai/shared";
import type { CreateRateLimiter } from "../../../base/rate-limits.ts";

const WRONG_KEYS = { points: 10, seconds: 15 * 60 };

/** Counts wrong keys by address. After ten within 15 minutes, the address has to wait. */
export interface SignInLimiter {
  /** Throws too_many_requests while the address has to wait. */
  admit(address: string): Promise<void>;
  /** Counts a wrong key. */
  note(address: string): Promise<void>;
}

export function createSignInLimiter(createRateLimiter: CreateRateLimiter): SignInLimiter {
  const wrongKeys = createRateLimiter("wrong-keys", WRONG_KEYS);
  return {
    async admit(address) {
      const seen = await wrongKeys.get(address);
      if (!seen || seen.consumedPoints < WRONG_KEYS.points) return;
      throw new CrowdaiError("too_many_requests", "Your address sent too many wrong keys.", {
        next: `Try again in ${Math.ceil(seen.msBeforeNext / 60_000)} min.`,
        details: { seconds: Math.ceil(seen.msBeforeNext / 1000) },
      });
    },
    async note(address) {
      await wrongKeys.penalty(address);
    },
  };
}
