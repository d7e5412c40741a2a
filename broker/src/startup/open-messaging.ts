import { join } from "node:path";
import { createEmbeddedQueue, type JobQueue } from "@crowdai/shared/queue";
import { createEmbeddedStepChannel, type StepChannel } from "@crowdai/shared/step-channel";
import type { Logger } from "pino";
import type { ServerOptions } from "socket.io";
import type { BrokerConfig } from "../base/config.ts";
import { type CreateRateLimiter, rateLimiters } from "../base/rate-limits.ts";

/** A Redis that takes longer to count is replaced by counting in memory. */
const RATE_LIMIT_MS = 1000;

export interface Messaging {
  queue: JobQueue;
  /** Carries the steps of remote agents. */
  steps: StepChannel;
  /** Connects the sessions of several brokers; undefined when there is one broker. */
  adapter: ServerOptions["adapter"] | undefined;
  /** Creates limiters, which the brokers of one Redis share. */
  createRateLimiter: CreateRateLimiter;
  close(): Promise<void>;
}

/**
 * Opens the job queue and the channel between brokers that the settings name. Redis is loaded only when it is
 * used.
 */
export async function openMessaging(
  { redisUrl, dataFolder }: Pick<BrokerConfig, "redisUrl" | "dataFolder">,
  log: Logger,
): Promise<Messaging> {
  if (!redisUrl) {
    const queue = createEmbeddedQueue();
    const steps = await createEmbeddedStepChannel({ folder: join(dataFolder, "sessions") });
    return {
      queue,
      steps,
      adapter: undefined,
      createRateLimiter: rateLimiters(),
      async close() {
        await steps.close();
        await queue.close();
      },
    };
  }
  const { connectionsTo, createRedisQueue } = await import("@crowdai/shared/queue/redis");
  const { createRedisStepChannel } = await import("@crowdai/shared/step-channel/redis");
  const { createAdapter } = await import("@socket.io/redis-adapter");
  const connections = connectionsTo(redisUrl);
  const queue = await createRedisQueue({ redis: connections.connect, name: connections.name, log });
  const steps = createRedisStepChannel({ redis: connections.connect, log });
  const publisher = connections.connectWithReconnect();
  const subscriber = connections.connectWithReconnect({ retryForever: true });
  const limits = connections.connectWithReconnect({ commandMs: RATE_LIMIT_MS });
  // The adapter ignores the result, and an unhandled rejection would end the process.
  const publish = publisher.publish.bind(publisher) as (...args: unknown[]) => Promise<number>;
  publisher.publish = ((...args: unknown[]) =>
    publish(...args).catch((error) => {
      log.debug({ event: "broker_message_lost", err: error }, "message to other brokers lost");
      return 0;
    })) as typeof publisher.publish;
  // The queue reports that Redis is unreachable. A message lost here is made up for by the records.
  for (const client of [publisher, subscriber, limits])
    client.on("error", (error: Error) =>
      log.debug({ event: "broker_channel_down", err: error }, "channel between brokers lost"),
    );
  return {
    queue,
    steps,
    adapter: createAdapter(publisher, subscriber),
    createRateLimiter: rateLimiters(limits),
    async close() {
      await steps.close();
      await queue.close();
      publisher.disconnect();
      subscriber.disconnect();
      limits.disconnect();
    },
  };
}
