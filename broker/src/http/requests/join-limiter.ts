import { CrowdaiError } from "@crowdai/shared";
import type { CreateRateLimiter } from "../../base/rate-limits.ts";

const WRONG_CODES = { points: 20, seconds: 10 * 60 };
/** A whole course may share an address. */
const JOINS = { points: 1000, seconds: 3600 };

/** Limits how often an address tries codes of join links, and how many participants it makes. */
export interface JoinLimiter {
  /** Runs work with a code. Throws too_many_requests after too many wrong codes of the address. */
  guard<T>(address: string, work: () => Promise<T>): Promise<T>;
  /** Counts a new participant. Throws too_many_requests. */
  admit(address: string): Promise<void>;
}

const made = new WeakMap<CreateRateLimiter, JoinLimiter>();

/** Returns the limiter of a broker: pages and API count together. */
export function joinLimiter(createRateLimiter: CreateRateLimiter): JoinLimiter {
  const known = made.get(createRateLimiter) ?? createJoinLimiter(createRateLimiter);
  made.set(createRateLimiter, known);
  return known;
}

function createJoinLimiter(createRateLimiter: CreateRateLimiter): JoinLimiter {
  const wrongCodes = createRateLimiter("join-codes", WRONG_CODES);
  const joins = createRateLimiter("joins", JOINS);
  return {
    async guard(address, work) {
      const seen = await wrongCodes.get(address);
      if (seen && seen.consumedPoints >= WRONG_CODES.points)
        throw new CrowdaiError("too_many_requests", "Your address sent too many wrong join links.", {
          next: `Try again in ${Math.ceil(seen.msBeforeNext / 60_000)} min.`,
        });
      try {
        return await work();
      } catch (error) {
        if (error instanceof CrowdaiError && error.code === "join_link_unknown")
          await wrongCodes.penalty(address);
        throw error;
      }
    },
    async admit(address) {
      const admitted = await joins.consume(address).catch((refused: unknown) => {
        if (refused instanceof Error) throw refused;
        return null;
      });
      if (!admitted)
        throw new CrowdaiError("too_many_requests", "Too many participants joined from your address.");
    },
  };
}
