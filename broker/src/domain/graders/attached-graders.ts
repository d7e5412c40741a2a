import type { AttachedGrader, JobQueue } from "@crowdai/shared/queue";
import type { Clock } from "../../base/clock.ts";

/** How old the queue's answer may be: every view of a waiting submission asks. */
const FRESH_MS = 500;

/** Who is there to grade, and since when nobody is. */
export interface AttachedGraders {
  all(): Promise<readonly AttachedGrader[]>;
  serving(challenge: string): Promise<readonly AttachedGrader[]>;
  /** When a grader that serves the challenge was last seen; the start of this broker when none was. */
  lastSeen(challenge: string): Date;
  /** Asks the queue now. Called regularly, so that `lastSeen` is right when nobody asked. */
  look(): Promise<void>;
}

/** While the queue does not answer, what it said last stands. */
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
      // The dispatcher finds out too, and says so.
    } finally {
      askedAt = monotonic();
      asking = null;
    }
  }

  function look(): Promise<void> {
    asking ??= ask();
    return asking;
  }

  async function all(): Promise<readonly AttachedGrader[]> {
    if (monotonic() - askedAt > FRESH_MS) await look();
    return latest;
  }

  return {
    all,
    look,
    serving: async (challenge) => (await all()).filter(({ challenges }) => challenges.includes(challenge)),
    lastSeen: (challenge) => seen.get(challenge) ?? began,
  };
}
