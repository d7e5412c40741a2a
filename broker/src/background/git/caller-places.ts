import { type BoundedSemaphore, createSemaphore } from "./semaphore.ts";

/** Requests of one caller that may wait for a place. */
const MAX_WAITING = 64;

/** Places for the requests of each caller, so that one who reads or sends slowly holds up no one else. */
export interface CallerPlaces {
  /** Resolves with the function that frees the place. Throws broker_busy when none becomes free. */
  take(caller: string, signal?: AbortSignal): Promise<() => void>;
}

export function createCallerPlaces(each: number): CallerPlaces {
  const callers = new Map<string, { places: BoundedSemaphore; users: number }>();
  return {
    async take(caller, signal) {
      const known = callers.get(caller) ?? {
        places: createSemaphore(each, {
          maxWaiting: MAX_WAITING,
          message: "Your other fetches or pushes are still running.",
        }),
        users: 0,
      };
      callers.set(caller, known);
      known.users++;
      const leave = () => {
        if (--known.users === 0) callers.delete(caller);
      };
      try {
        await known.places.acquire(signal);
      } catch (error) {
        leave();
        throw error;
      }
      let taken = true;
      return () => {
        if (!taken) return;
        taken = false;
        known.places.release();
        leave();
      };
    },
  };
}
