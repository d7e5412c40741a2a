import { setImmediate } from "node:timers/promises";
import type { ChainableCommander } from "ioredis";
import { pause } from "../../queue/pause.ts";
import { type Client, createReconnectingConnection } from "../../queue/redis/reconnecting-connection.ts";

const BLOCK_MS = 1000;
/**
 * Reads that are sent at once: Redis begins each when the one before has its message, which then needs no
 * read of its own.
 */
const READ_AHEAD = 4;
/** A connection that needs so much longer for its reads counts as dead. */
const PATIENCE_MS = 1500;
/** Redis answers a read that waits at least once a second. */
const BREAK_MS = BLOCK_MS + PATIENCE_MS;
/** The most messages that one read takes. */
const MAX_MESSAGES = 64;
const PAUSE_MS = 50;

/**
 * Reads the messages of this process on a connection of its own, because a blocking read delays all other
 * commands.
 */
export interface Inbox {
  /** Returns since when it has listened without a break, as a time of `performance.now()`. */
  listeningSince(): number;
  close(): void;
}

export function openInbox(options: {
  redis: () => Client;
  key: string;
  receive: (message: string) => void;
  /** Whether messages come so often that a read should take several. */
  isBusy: () => boolean;
  /** Called when the connection is back: messages may be lost. */
  onReconnect: () => void;
}): Inbox {
  const { key, receive, isBusy, onReconnect } = options;
  const closing = new AbortController();
  let since = performance.now();
  /** The last time that Redis answered, be it that there is no message. */
  let answeredAt = since;
  const listeningSince = () => (performance.now() - answeredAt > BREAK_MS ? performance.now() : since);
  const answered = () => {
    since = listeningSince();
    answeredAt = performance.now();
  };
  const connection = createReconnectingConnection({
    redis: options.redis,
    onReady() {
      if (connection.connectionNumber > 1) onReconnect();
    },
  });

  /**
   * Receives several messages, each when it comes. Resolves while the last one is waited for, so that the
   * next reads follow in time.
   */
  function receiveEach(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let left = READ_AHEAD;
    connection
      .use(
        (client) => {
          const reads = client.pipeline();
          for (let i = 0; i < READ_AHEAD; i++)
            reads.blpop(key, BLOCK_MS / 1000, (error, found) => {
              if (error) return;
              answered();
              if (found) receive(found[1]);
              if (--left === 1) resolve();
            });
          return repliesOf(reads);
        },
        READ_AHEAD * BLOCK_MS + PATIENCE_MS,
      )
      .catch(reject);
    return promise;
  }

  /**
   * Receives a message and those behind it together: Redis runs the second command as soon as the first one
   * ends.
   */
  async function receiveAll(): Promise<void> {
    const [first, others] = await connection.use(
      (client) =>
        repliesOf(
          client
            .pipeline()
            .blpop(key, BLOCK_MS / 1000)
            .lpop(key, MAX_MESSAGES),
        ),
      BLOCK_MS + PATIENCE_MS,
    );
    answered();
    if (first) receive(first[1]!);
    for (const message of others ?? []) receive(message);
  }

  async function read(): Promise<void> {
    while (!closing.signal.aborted) {
      await (isBusy() ? receiveAll() : receiveEach()).catch(() => pause(PAUSE_MS, closing.signal));
      // Messages that follow from these are sent before the next reads.
      await setImmediate();
    }
  }

  void read();
  return {
    listeningSince,
    close() {
      closing.abort();
      connection.close();
    },
  };
}

/** Sends a pipeline. Rejects with an error of a command: the connection is replaced after some. */
async function repliesOf(pipeline: ChainableCommander): Promise<(string[] | null)[]> {
  const replies = (await pipeline.exec())!;
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply as string[] | null;
  });
}
