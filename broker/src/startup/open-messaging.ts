import { createEmbeddedQueue, type JobQueue } from "@crowdai/shared/queue";
import type { Logger } from "pino";
import type { ServerOptions } from "socket.io";
import type { BrokerConfig } from "../base/config.ts";

export interface Messaging {
  queue: JobQueue;
  /** Joins the sessions of several brokers; undefined where there is one broker. */
  adapter: ServerOptions["adapter"] | undefined;
  close(): Promise<void>;
}

/** The job queue, and the line between brokers, that the settings name. Redis is loaded only when it is used. */
export async function openMessaging(
  { redisUrl }: Pick<BrokerConfig, "redisUrl">,
  log: Logger,
): Promise<Messaging> {
  if (!redisUrl) {
    const queue = createEmbeddedQueue();
    return { queue, adapter: undefined, close: () => queue.close() };
  }
  const { connectionsTo, createRedisQueue } = await import("@crowdai/shared/queue/redis");
  const { createAdapter } = await import("@socket.io/redis-adapter");
  const connections = connectionsTo(redisUrl);
  const queue = await createRedisQueue({ redis: connections.connect, name: connections.name, log });
  const publisher = connections.connectWithReconnect();
  const subscriber = connections.connectWithReconnect({ retryForever: true });
  // The adapter looks at no answer, and a rejection that nobody looks at ends the process.
  const publish = publisher.publish.bind(publisher) as (...args: unknown[]) => Promise<number>;
  publisher.publish = ((...args: unknown[]) =>
    publish(...args).catch((error) => {
      log.debug({ err: error }, "a word to the other brokers was lost");
      return 0;
    })) as typeof publisher.publish;
  // The queue tells that Redis is away; here a word between brokers is lost, which the records make up for.
  for (const client of [publisher, subscriber])
    client.on("error", (error: Error) => log.debug({ err: error }, "the line between brokers is down"));
  return {
    queue,
    adapter: createAdapter(publisher, subscriber),
    async close() {
      await queue.close();
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
