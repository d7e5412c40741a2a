import { CrowdaiError } from "@crowdai/shared";
import type { ObjectStore } from "@crowdai/shared/objects";
import type { JobQueue } from "@crowdai/shared/queue";

/** What a grader shares with its broker. */
export interface Backends {
  queue: JobQueue;
  objects: ObjectStore;
}
export type OpenBackends = (env: Readonly<Record<string, string | undefined>>) => Promise<Backends>;

/** Opens the queue and the store that the environment names. The embedded ones live inside a broker's process. */
export const openBackends: OpenBackends = async (env) => {
  const together = "Run broker and grader in one process with `crowdai-broker start --with-grader`.";
  if (!env.REDIS_URL)
    throw new CrowdaiError(
      "usage",
      "A grader of its own finds its broker's queue by REDIS_URL, which is not set.",
      {
        next: `Set REDIS_URL to the Redis of the broker. ${together}`,
      },
    );
  throw new CrowdaiError("usage", "This version has no queue in Redis: REDIS_URL cannot be used.", {
    next: together,
  });
};
