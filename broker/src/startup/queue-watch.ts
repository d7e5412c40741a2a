import { headOfQueue } from "../domain/submissions/head-of-queue.ts";
import type { Needs } from "../domain/submissions/services.ts";

/** How long the head of a queue may stay there while a grader has a free slot. */
export const STALL_MS = 60_000;

/** Watches whether the challenges' queues move. */
export interface QueueWatch {
  /** Checks the queue of each challenge; called every few seconds. */
  check(): Promise<void>;
  /** Returns the challenges whose queue is stalled although a grader is free. */
  stalled(): string[];
}

interface Head {
  key: string;
  since: number;
}

/**
 * A queue is stalled when check after check finds the same submission at its head while a grader that serves
 * the challenge has a free slot. Waiting behind busy graders is fine: their jobs have deadlines of their own.
 */
export function createQueueWatch(
  { records, catalog, graders }: Needs<"records" | "catalog" | "graders">,
  monotonic: () => number = () => performance.now(),
): QueueWatch {
  const heads = new Map<string, Head>();

  async function firstWithFreeGrader(challenge: string): Promise<string | null> {
    const serving = await graders.serving(challenge);
    if (serving.length === 0) return null;
    const head = await headOfQueue(records.db, challenge);
    if (!head) return null;
    const slots = serving.reduce((sum, { concurrency }) => sum + concurrency, 0);
    // Counts all challenges that these graders serve: they may be busy with another one, or with a regrade.
    const served = [...new Set(serving.flatMap(({ challenges }) => challenges))];
    const busy = await records.db
      .selectFrom("submissions")
      .select("id")
      .where("challenge", "in", served)
      .where("state", "=", "grading")
      .limit(slots)
      .execute();
    const regrading = await records.db
      .selectFrom("regrade_items")
      .innerJoin("regrades", "regrades.id", "regrade_items.regrade")
      .select("submission")
      .where("regrades.state", "=", "running")
      .where("regrades.challenge", "in", served)
      .limit(1)
      .execute();
    return busy.length < slots && regrading.length === 0 ? `${head.id} ${head.attempt}` : null;
  }

  return {
    async check() {
      const known = catalog.all();
      for (const challenge of heads.keys()) if (!known.has(challenge)) heads.delete(challenge);
      for (const challenge of known.keys()) {
        const key = await firstWithFreeGrader(challenge);
        if (key === null) heads.delete(challenge);
        else if (heads.get(challenge)?.key !== key) heads.set(challenge, { key, since: monotonic() });
      }
    },
    stalled: () =>
      [...heads].filter(([, { since }]) => monotonic() - since > STALL_MS).map(([challenge]) => challenge),
  };
}
