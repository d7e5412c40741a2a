import type { Redis } from "ioredis";
import {
  type Client,
  createReconnectingConnection,
  type ReconnectingConnection,
} from "./reconnecting-connection.ts";

/**
 * How long a read blocks, which is also how soon an idle grader notices a returned job or a newly served
 * challenge.
 */
export const BLOCK_MS = 500;
/** Slightly longer than the read. After that the connection counts as dead. */
const WATCHDOG_MS = BLOCK_MS + 1500;

/** Waits for new entries on a separate connection, because a blocking read delays all other commands. */
export interface BlockingRead {
  /**
   * Resolves with challenge and entry of at most one new job per challenge, now owned by the consumer.
   * Rejects when Redis is unreachable.
   */
  next(challenges: readonly string[]): Promise<[challenge: string, id: string][]>;
  /** Ends the current read if Redis responds. It soon ends by itself in any case. */
  interrupt(): void;
  close(): void;
}

export function createBlockingRead(options: {
  redis: () => Client;
  /** The connection for everything else. */
  connection: ReconnectingConnection;
  base: string;
  consumer: string;
}): BlockingRead {
  const { base, consumer } = options;
  let own: number | null = null;
  const connection = createReconnectingConnection({
    redis: options.redis,
    onReady(client) {
      own = null;
      // In a cluster, connection ids belong to the nodes.
      if ("nodes" in client) return;
      client.client("ID").then(
        (id) => {
          own = id;
        },
        () => {},
      );
    },
  });
  const prefix = `${base}:jobs:`;
  return {
    async next(challenges) {
      const streams = challenges.map((challenge) => prefix + challenge);
      const news = challenges.map(() => ">");
      const reply = (await connection.use(
        (client) =>
          (client as Redis).xreadgroup(
            ...(["GROUP", "graders", consumer, "COUNT", 1, "BLOCK", BLOCK_MS, "STREAMS"] as const),
            ...streams,
            ...news,
          ),
        WATCHDOG_MS,
      )) as [stream: string, entries: [id: string, fields: string[]][]][] | null;
      return (reply ?? []).flatMap(([stream, entries]) =>
        entries.map(([id]): [string, string] => [stream.slice(prefix.length), id]),
      );
    },
    interrupt() {
      const id = own;
      if (id !== null) options.connection.use((client) => client.client("UNBLOCK", id)).catch(() => {});
    },
    close: connection.close,
  };
}
