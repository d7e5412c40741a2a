import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { createFolderStore, type ObjectStore, readS3Settings } from "@crowdai/shared/objects";
import type { JobQueue } from "@crowdai/shared/queue";
import type { StepChannel } from "@crowdai/shared/step-channel";
import type { Logger } from "pino";

/** The queue, the object store and the step channel, which a grader shares with its broker. */
export interface Backends {
  queue: JobQueue;
  objects: ObjectStore;
  steps?: StepChannel;
  close(): Promise<void>;
}
export interface BackendSettings {
  env: Readonly<Record<string, string | undefined>>;
  /** The broker's data folder, for objects stored there. */
  data: string;
  /** Name of the grader. */
  name: string;
  log: Logger;
}
export type OpenBackends = (settings: BackendSettings) => Promise<Backends>;

/**
 * Opens the queue, the object store and the step channel that the environment selects. The embedded queue
 * exists only inside a broker.
 */
export const openBackends: OpenBackends = async ({ env, data, name, log }) => {
  if (!env.REDIS_URL)
    throw new CrowdaiError(
      "usage",
      "REDIS_URL is not set. A separate grader reaches the broker's queue through Redis.",
      {
        next: "Set REDIS_URL to the broker's Redis, or run the grader inside the broker: `crowdai-broker start --with-grader`.",
      },
    );
  const { connectionsTo, createRedisQueue } = await import("@crowdai/shared/queue/redis");
  const { createRedisStepChannel } = await import("@crowdai/shared/step-channel/redis");
  const connections = connectionsTo(env.REDIS_URL);
  const objects = await openObjects(env, data, name);
  const queue = await createRedisQueue({ redis: connections.connect, name: connections.name, log }).catch(
    async (error) => {
      await objects.close();
      throw error;
    },
  );
  const steps = createRedisStepChannel({ redis: connections.connect, log });
  return {
    queue,
    objects,
    steps,
    async close() {
      await steps.close();
      await queue.close();
      await objects.close();
    },
  };
};

/** Without S3, opens the broker's folder: broker and grader then share a disk. */
async function openObjects(env: BackendSettings["env"], data: string, name: string): Promise<ObjectStore> {
  const s3 = readS3Settings(env);
  if (s3) {
    const { createS3Store } = await import("@crowdai/shared/objects/s3");
    return createS3Store(s3);
  }
  return createFolderStore({
    folder: join(data, "objects"),
    arriving: `arriving-${name.replace(/[^A-Za-z0-9-]/g, "-")}`,
    // A grader signs no URLs.
    baseUrl: () => "",
    secret: randomBytes(32),
  });
}
