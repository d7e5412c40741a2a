/** How long work may fail, or hang, before it counts as stalled. */
export const STALLED_AFTER_MS = 60_000;

/** Watches repeated work: whether each run still ends, and whether it succeeds. */
export interface Heartbeats {
  /** Runs the work and records the outcome. Work that runs rarely may be given a longer limit. */
  watch<T>(name: string, work: () => Promise<T>, stalledAfterMs?: number): Promise<T>;
  /** Returns what has failed, or hung, for longer than its limit: each name with its problem. */
  problems(): Map<string, string>;
}

interface Beat {
  /** Runs that have not ended. */
  running: Set<{ since: number }>;
  /** Failures since the last success, and the time of the first of them. */
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
    problems() {
      const now = monotonic();
      const found = new Map<string, string>();
      for (const [name, { running, failures, failingSince, stalledAfterMs }] of beats) {
        const long = (since: number) => now - since > stalledAfterMs;
        if ([...running].some(({ since }) => long(since))) found.set(name, "does not finish");
        else if (failures > 1 && long(failingSince)) found.set(name, "keeps failing");
      }
      return found;
    },
  };
}
