import { CrowdaiError } from "@crowdai/shared";
import { Semaphore } from "async-mutex";

const MAX_WAITING = 256;
const WAIT_MS = 30_000;

/**
 * A semaphore whose callers wait for a limited time, in a limited number, and until their signal is aborted.
 * Throws broker_busy when no slot becomes free.
 */
export interface BoundedSemaphore {
  acquire(signal?: AbortSignal): Promise<void>;
  release(): void;
}

export function createSemaphore(
  slots: number,
  { maxWaiting = MAX_WAITING, waitMs = WAIT_MS, message = "Too many git processes are running." } = {},
): BoundedSemaphore {
  const busy = () => new CrowdaiError("broker_busy", message);
  const semaphore = new Semaphore(slots);
  let waiting = 0;

  return {
    async acquire(signal) {
      signal?.throwIfAborted();
      if (semaphore.isLocked() && waiting >= maxWaiting) throw busy();
      const acquired = semaphore.acquire();
      const { promise: gaveUp, reject } = Promise.withResolvers<never>();
      const abort = () => reject(signal?.reason);
      const timer = setTimeout(() => reject(busy()), waitMs);
      signal?.addEventListener("abort", abort, { once: true });
      waiting++;
      try {
        await Promise.race([acquired, gaveUp]);
      } catch (error) {
        // The slot that this caller still waits for passes on to the next one.
        void acquired.then(([, release]) => release());
        throw error;
      } finally {
        waiting--;
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      }
    },
    release: () => semaphore.release(),
  };
}
