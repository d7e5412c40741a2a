import { WebappAway } from "./calls.ts";

/**
 * Lets calls through while the webapp answers. After one that got no answer the next ones fail at once for a while, so that nobody waits
 * again for what was just found to be away.
 */
export interface Breaker {
  call<T>(work: () => Promise<T>): Promise<T>;
}

export function createBreaker(pauseMs: number): Breaker {
  let until = 0;
  let reason = "";
  return {
    async call(work) {
      if (Date.now() < until) throw new WebappAway(reason);
      try {
        const value = await work();
        until = 0;
        return value;
      } catch (error) {
        if (error instanceof WebappAway && error.status === null) {
          until = Date.now() + pauseMs;
          reason = error.message;
        }
        throw error;
      }
    },
  };
}
