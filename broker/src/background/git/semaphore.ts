import { CrowdaiError } from "@crowdai/shared";

const MAX_WAITING = 256;
const WAIT_MS = 30_000;

/**
 * Semaphore for so many at once. Others wait their turn, for a while and in bounded number, then are told
 * that it is full.
 */
export interface Semaphore {
  enter(signal?: AbortSignal): Promise<void>;
  leave(): void;
}

export function createSemaphore(places: number): Semaphore {
  let taken = 0;
  const waiting = new Set<() => void>();

  return {
    async enter(signal) {
      signal?.throwIfAborted();
      if (taken < places) {
        taken++;
        return;
      }
      if (waiting.size >= MAX_WAITING) throw full();
      await new Promise<void>((resolve, reject) => {
        const stop = (error: unknown) => {
          waiting.delete(go);
          clearTimeout(timer);
          signal?.removeEventListener("abort", aborted);
          if (error) reject(error);
          else resolve();
        };
        const go = () => stop(null);
        const aborted = () => stop(signal?.reason ?? full());
        const timer = setTimeout(() => stop(full()), WAIT_MS);
        signal?.addEventListener("abort", aborted, { once: true });
        waiting.add(go);
      });
    },
    leave() {
      // A place goes to who waited longest, or is free.
      const next = waiting.values().next().value;
      if (next) next();
      else taken--;
    },
  };
}

const full = () => new CrowdaiError("broker_busy", "Too many git processes run at this moment.");
