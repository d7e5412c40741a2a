const REMEMBERED = 20;

/** Durations of recent gradings of each challenge, as seen by this broker. */
export interface GradingTimes {
  record(challenge: string, ms: number): void;
  /** Null until a duration is known. */
  meanMs(challenge: string): number | null;
}

export function createGradingTimes(
  observe: (challenge: string, ms: number) => void = () => {},
): GradingTimes {
  const latest = new Map<string, number[]>();
  return {
    record(challenge, ms) {
      const known = latest.get(challenge) ?? [];
      latest.set(challenge, [...known, ms].slice(-REMEMBERED));
      observe(challenge, ms);
    },
    meanMs(challenge) {
      const known = latest.get(challenge);
      return known ? known.reduce((sum, ms) => sum + ms, 0) / known.length : null;
    },
  };
}
