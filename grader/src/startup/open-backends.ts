import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { createFolderStore, type ObjectStore, readS3Settings } from "@crowdai/shared/objects";
import type { JobQueue } from "@crowdai/shared/queue";
import type { Logger } from "pino";

/** What a grader shares with its broker. */
export interface Backends {
  queue: JobQueue;
  objects: ObjectStore;
  close(): Promise<void>;
}
export interface BackendSettings {
  env: Readonly<Record<string, string | undefined>>;
  /** The broker's data folder, for objects that are kept in it. */
  data: string;
  /** Name of the grader. */
  name: string;
  log: Logger;
}
export type OpenBackends = (settings: BackendSettings) => Promise<Backends>;

/** Opens the queue and the store that the environment names. The embedded queue lives inside a broker's process. */
export const openBackends: OpenBackends = async ({ env, data, name, log }) => {
  if (!env.REDIS_URL)
    throw new CrowdaiError(
      "usage",
      "A grader of its own finds its broker's queue by REDIS_URL, which is not set.",
      {
        next: "Set REDIS_URL to the Redis of the broker, or grade in its process: `crowdai-broker start --with-grader`.",
      },
    );
  const { connectionsTo, createRedisQueue } = await import("@crowdai/shared/queue/redis");
  const connections = connectionsTo(env.REDIS_URL);
  const objects = await openObjects(env, data, name);
  const queue = await createRedisQueue({ redis: connections.connect, name: connections.name, log });
  return {
    queue,
    objects,
    async close() {
      await queue.close();
      await objects.close();
    },
  };
};

/** The broker's folder when there is no S3: broker and grader then share a disk. */
async function openObjects(env: BackendSettings["env"], data: string, name: string): Promise<ObjectStore> {
  const s3 = readS3Settings(env);
  if (s3) {
    const { createS3Store } = await import("@crowdai/shared/objects/s3");
    return createS3Store(s3);
  }
  return createFolderStore({
    folder: join(data, "objects"),
    arriving: `arriving-${name.replace(/[^A-Za-z0-9-]/g, "-")}`,
    // A grader hands out no addresses.
    baseUrl: () => "",
    secret: randomBytes(32),
  });
}
