import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis } from "rate-limiter-flexible";

/** So many points in so many seconds, for each key. The seconds start with a key's first point. */
export interface RateLimit {
  points: number;
  seconds: number;
}

/** Creates a limiter. Limiters of one name share their counts, at all brokers that use the same Redis. */
export type CreateRateLimiter = (name: string, limit: RateLimit) => RateLimiterAbstract;

/**
 * Counts in Redis when a client is given, else in memory. While Redis is unreachable each broker counts for
 * itself, so that a limiter never fails for that reason.
 */
export function rateLimiters(redis?: object): CreateRateLimiter {
  return (name, { points, seconds }) => {
    const options = { keyPrefix: `crowdai:limit:${name}`, points, duration: seconds };
    const memory = new RateLimiterMemory(options);
    if (!redis) return memory;
    return new RateLimiterRedis({
      ...options,
      storeClient: redis,
      rejectIfRedisNotReady: true,
      insuranceLimiter: memory,
    });
  };
}
