/** How long work may fail, or hang, before it counts as standing still. */
export const STALLED_AFTER_MS = 60_000;

/** Watches work that is done again and again: whether it still comes to an end, and whether it succeeds. */
export interface Heartbeats {
  /** Runs the work and remembers how it went. Work that comes rarely may be given more patience. */
  watch<T>(name: string, work: () => Promise<T>, stalledAfterMs?: number): Promise<T>;
  /** Names of what has failed, or hung, for longer than the patience, each with what is wrong. */
  troubles(): Map<string, string>;
}

interface Beat {
  /** Starts of runs that have not ended. */
  running: Set<{ since: number }>;
  /** Failures after the last success, and when the first of them was. */
  failures: number;
  failingSince: number;
  stalledAfterMs: number;
}

export function createHeartbeats(monotonic: () => number = () => performance.now()): Heartbeats {
  const beats = new Map<string, Beat>();

  return {
    async watch(name, work, stalledAfterMs = STALLED_AFTER_MS) {
      const beat = beats.get(name) ?? { running: new Set(), failures: 0, failingSince: 0, stalledAfterMs };
      beats.set(name, beat);
      const run = { since: monotonic() };
      beat.running.add(run);
      try {
        const result = await work();
        beat.failures = 0;
        return result;
      } catch (error) {
        if (beat.failures++ === 0) beat.failingSince = monotonic();
        throw error;
      } finally {
        beat.running.delete(run);
      }
    },
    troubles() {
      const now = monotonic();
      const found = new Map<string, string>();
      for (const [name, { running, failures, failingSince, stalledAfterMs }] of beats) {
        const long = (since: number) => now - since > stalledAfterMs;
        if ([...running].some(({ since }) => long(since))) found.set(name, "does not come to an end");
        else if (failures > 1 && long(failingSince)) found.set(name, "fails again and again");
      }
      return found;
    },
  };
}
