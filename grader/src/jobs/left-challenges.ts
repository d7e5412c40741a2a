/** For so long other graders grade the challenge. */
const LEFT_MS = 60_000;

/** Challenges that this grader leaves to other graders for a while, with the reason. */
export interface LeftChallenges {
  leave(challenge: string, reason: string): void;
  /** The challenges that are left now. */
  unable(): Record<string, string>;
}

export function createLeftChallenges(now: () => number = () => performance.now()): LeftChallenges {
  const left = new Map<string, { until: number; reason: string }>();
  return {
    leave: (challenge, reason) => void left.set(challenge, { until: now() + LEFT_MS, reason }),
    unable() {
      for (const [challenge, { until }] of left) if (now() >= until) left.delete(challenge);
      return Object.fromEntries([...left].map(([challenge, { reason }]) => [challenge, reason]));
    },
  };
}
