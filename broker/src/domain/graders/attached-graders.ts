import type { AttachedGrader, JobQueue } from "@crowdai/shared/queue";
import type { Clock } from "../../base/clock.ts";

/** Maximum age of the queue's answer: every view of a waiting submission asks for it. */
const FRESH_MS = 500;

/** The graders that are attached, and when each challenge last had one. */
export interface AttachedGraders {
  all(): Promise<readonly AttachedGrader[]>;
  serving(challenge: string): Promise<readonly AttachedGrader[]>;
  /**
   * Those that take sessions of the challenge: graders without boxes take nothing else of some challenges.
   */
  servingSessions(challenge: string): Promise<readonly AttachedGrader[]>;
  /** When a grader that serves the challenge was last seen; the start of this broker when none was. */
  lastSeen(challenge: string): Date;
  /** Polls the queue. Called regularly, so that `lastSeen` stays accurate without other callers. */
  poll(): Promise<void>;
}

/** While the queue does not answer, its last answer is used. */
export function createAttachedGraders(
  queue: Pick<JobQueue, "attached">,
  clock: Clock,
  monotonic: () => number = () => performance.now(),
): AttachedGraders {
  const began = clock();
  const seen = new Map<string, Date>();
  let latest: readonly AttachedGrader[] = [];
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;

  async function ask(): Promise<void> {
    try {
      latest = await queue.attached();
      const now = clock();
      for (const challenge of latest.flatMap(({ challenges }) => challenges)) seen.set(challenge, now);
    } catch {
      // The dispatcher notices the failure too, and logs it.
    } finally {
      askedAt = monotonic();
      asking = null;
    }
  }

  function poll(): Promise<void> {
    asking ??= ask();
    return asking;
  }

  async function all(): Promise<readonly AttachedGrader[]> {
    if (monotonic() - askedAt > FRESH_MS) await poll();
    return latest;
  }

  return {
    all,
    poll,
    serving: async (challenge) => (await all()).filter(({ challenges }) => challenges.includes(challenge)),
    servingSessions: async (challenge) =>
      (await all()).filter(
        ({ challenges, sessions }) => challenges.includes(challenge) || sessions?.includes(challenge),
      ),
    lastSeen: (challenge) => seen.get(challenge) ?? began,
  };
}
