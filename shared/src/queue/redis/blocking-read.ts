import type { Redis } from "ioredis";
import {
  type Client,
  createReconnectingConnection,
  type ReconnectingConnection,
} from "./reconnecting-connection.ts";

/** How long a read blocks: also how soon a job handed back, or a challenge newly served, is noticed by an idle grader. */
export const BLOCK_MS = 500;
/** A little longer than the read: after that the connection is taken for dead. */
const WATCHDOG_MS = BLOCK_MS + 1500;

/** Waits for new entries on a connection of its own, for everything else would wait behind it. */
export interface BlockingRead {
  /** Challenge and entry of at most one new job for each challenge. They are the consumer's now. Rejects when Redis is away. */
  next(challenges: readonly string[]): Promise<[challenge: string, id: string][]>;
  /** Ends the read that is on, if Redis takes part; it ends by itself soon in any case. */
  interrupt(): void;
  close(): void;
}

export function createBlockingRead(options: {
  redis: () => Client;
  /** The connection for everything else. */
  link: ReconnectingConnection;
  base: string;
  consumer: string;
}): BlockingRead {
  const { base, consumer } = options;
  let own: number | null = null;
  const link = createReconnectingConnection({
    redis: options.redis,
    onReady(client) {
      own = null;
      // Only a node itself knows which connection is which.
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
      const reply = (await link.use(
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
      if (id !== null) options.link.use((client) => client.client("UNBLOCK", id)).catch(() => {});
    },
    close: link.close,
  };
}
