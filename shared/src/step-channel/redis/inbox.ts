import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { type Client, createReconnectingConnection } from "../../queue/redis/reconnecting-connection.ts";

const BLOCK_MS = 1000;
/** Slightly longer than the read. After that the connection counts as dead. */
const WATCHDOG_MS = BLOCK_MS + 1500;
/** The most messages that one read takes. */
const MAX_MESSAGES = 64;
const PAUSE_MS = 50;

/** Reads the messages of this process on a connection of its own, because a blocking read delays all other commands. */
export interface Inbox {
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
  let closed = false;
  const connection = createReconnectingConnection({
    redis: options.redis,
    onReady() {
      if (connection.connectionNumber > 1) onReconnect();
    },
  });

  /** Waits for a message. */
  async function nextOne(): Promise<string[]> {
    const found = await connection.use((client) => client.blpop(key, BLOCK_MS / 1000), WATCHDOG_MS);
    return found ? [found[1]] : [];
  }

  /** Waits for a message, and takes those behind it too: Redis runs the second command as soon as the first one ends. */
  async function nextOnes(): Promise<string[]> {
    const replies = await connection.use(
      (client) =>
        client
          .pipeline()
          .blpop(key, BLOCK_MS / 1000)
          .lpop(key, MAX_MESSAGES)
          .exec(),
      WATCHDOG_MS,
    );
    const [first, others] = (replies ?? []).map(([error, reply]) => {
      if (error) throw error;
      return reply as string[] | null;
    });
    return first ? [first[1]!, ...(others ?? [])] : (others ?? []);
  }

  async function read(): Promise<void> {
    while (!closed) {
      const messages = await (isBusy() ? nextOnes() : nextOne()).catch(() =>
        sleep(PAUSE_MS).then((): string[] => []),
      );
      for (const message of messages) receive(message);
      // What follows from them is sent first.
      await setImmediate();
    }
  }

  void read();
  return {
    close() {
      closed = true;
      connection.close();
    },
  };
}
