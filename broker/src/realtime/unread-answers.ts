import type { Socket as Connection } from "engine.io";

/**
 * Characters that may wait for a client to read them: over one connection, and over all connections of a key.
 */
const MAX_OF_CONNECTION = 16 * 1024 * 1024;
const MAX_OF_KEY = 64 * 1024 * 1024;

interface Unread {
  size: number;
  /** The sum of its key, once the connection has a session. */
  ofKey: { size: number } | null;
}

/**
 * Ends connections whose clients ask and do not read, so that what waits for them does not fill the memory.
 */
export interface UnreadAnswers {
  /** Watches a connection from its start. */
  guard(connection: Connection): void;
  /** Counts a connection among those of its key. */
  assign(connection: Connection, key: string): void;
}

/** `end` ends a connection without waiting for its client. */
export function createUnreadAnswers(end: (connection: Connection) => void): UnreadAnswers {
  const connections = new WeakMap<Connection, Unread>();
  const keys = new Map<string, { size: number; connections: number }>();

  return {
    guard(connection) {
      const unread: Unread = { size: 0, ofKey: null };
      connections.set(connection, unread);
      const count = (size: number) => {
        unread.size += size;
        if (unread.ofKey) unread.ofKey.size += size;
      };
      connection.on("packetCreate", ({ data }: { data?: string | ArrayBufferView }) => {
        count(typeof data === "string" ? data.length : (data?.byteLength ?? 0));
        if (unread.size > MAX_OF_CONNECTION || (unread.ofKey?.size ?? 0) > MAX_OF_KEY) end(connection);
      });
      // Packets wait in the connection until its transport has sent the ones before.
      connection.on("flush", () => count(-unread.size));
      connection.once("close", () => count(-unread.size));
    },

    assign(connection, key) {
      const unread = connections.get(connection);
      if (!unread || unread.ofKey) return;
      const ofKey = keys.get(key) ?? { size: 0, connections: 0 };
      keys.set(key, ofKey);
      unread.ofKey = ofKey;
      ofKey.size += unread.size;
      ofKey.connections++;
      connection.once("close", () => {
        if (--ofKey.connections === 0) keys.delete(key);
      });
    },
  };
}
