import type { Cluster, Redis } from "ioredis";

export type Client = Redis | Cluster;

/** A connection that reconnects when it closes, and is closed when it does not respond. */
export interface ReconnectingConnection {
  /**
   * Runs `work` with a connected client. Rejects without a connection within `CONNECT_WAIT_MS`, or when the
   * work takes longer than `ms`: then the connection is destroyed, because ioredis may never settle
   * interrupted commands. Nothing is sent twice.
   */
  use<T>(work: (client: Client) => Promise<T>, ms?: number): Promise<T>;
  readonly connected: boolean;
  /** Number of connections so far. A change means that replies may have been lost. */
  readonly connectionNumber: number;
  /** Why there is no connection; null while there is one. */
  readonly lastError: Error | null;
  close(): void;
}

export interface ReconnectingConnectionOptions {
  /** Creates a client, which is used for one connection only. */
  redis: () => Client;
  /** Called when a connection is ready. */
  onReady?: (client: Client) => void;
  /** Called when a connection is lost, or the first attempt fails. */
  onDisconnect?: (lastError: Error) => void;
}

export const CALL_MS = 3000;
const CONNECT_WAIT_MS = 1000;
const READY_MS = 3000;
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1000;

export function createReconnectingConnection({
  redis,
  onReady,
  onDisconnect,
}: ReconnectingConnectionOptions): ReconnectingConnection {
  let ready: Client | null = null;
  let connectionNumber = 0;
  let lastError: Error | null = null;
  let notified = false;
  let closed = false;
  let attempt: Attempt;
  let pause: NodeJS.Timeout | undefined;
  let pauseMs = MIN_PAUSE_MS;
  const waiting = new Set<(client: Client | null) => void>();

  function connect(): void {
    if (closed) return;
    attempt = connectOnce(redis, {
      ready(client) {
        connectionNumber++;
        notified = false;
        lastError = null;
        pauseMs = MIN_PAUSE_MS;
        ready = client;
        for (const wake of [...waiting]) wake(client);
        onReady?.(client);
      },
      ended(error) {
        ready = null;
        lastError = error;
        if (closed) return;
        if (!notified) onDisconnect?.(error);
        notified = true;
        pause = setTimeout(connect, pauseMs);
        pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
      },
    });
  }

  function nextClient(): Promise<Client | null> {
    return new Promise((resolve) => {
      const wake = (client: Client | null) => {
        clearTimeout(timer);
        waiting.delete(wake);
        resolve(client);
      };
      const timer = setTimeout(wake, CONNECT_WAIT_MS, null);
      waiting.add(wake);
    });
  }

  connect();
  return {
    async use(work, ms = CALL_MS) {
      const client = ready ?? (closed ? null : await nextClient());
      if (!client) throw closed ? new Error("The queue is closed.") : unreachable(lastError);
      const mine = attempt;
      const { promise: late, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        const error = new Error(`Redis did not respond within ${ms} ms.`);
        reject(error);
        mine.end(error);
      }, ms);
      try {
        return await Promise.race([work(client), late]);
      } catch (error) {
        const { message } = error as Error;
        // The server is no longer the master. A new connection finds the current one.
        if (/READONLY|MASTERDOWN|UNBLOCKED/.test(message)) mine.end(error as Error);
        // Messages of ioredis about a closed connection, which may come before its close event.
        if (/^(Connection is closed|Stream isn't writeable)/.test(message)) {
          mine.end(error as Error);
          throw unreachable(lastError);
        }
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
    get connected() {
      return ready !== null;
    },
    get connectionNumber() {
      return connectionNumber;
    },
    get lastError() {
      return lastError;
    },
    close() {
      closed = true;
      clearTimeout(pause);
      for (const wake of [...waiting]) wake(null);
      attempt.end(new Error("The queue is closed."));
    },
  };
}

function unreachable(lastError: Error | null): Error {
  return new Error(`Redis is unreachable${lastError ? `: ${lastError.message}` : "."}`, { cause: lastError });
}

interface Attempt {
  end(error: Error): void;
}

/** Connects one client. `ended` is called exactly once, whether or not the client became ready. */
function connectOnce(
  redis: () => Client,
  on: { ready(client: Client): void; ended(error: Error): void },
): Attempt {
  let over = false;
  let problem: Error | null = null;
  const client = redis();
  const timer = setTimeout(() => end(new Error(`no response within ${READY_MS} ms`)), READY_MS);

  function end(error: Error): void {
    if (over) return;
    over = true;
    clearTimeout(timer);
    destroy(client);
    on.ended(error);
  }

  client.on("error", (error: Error) => {
    problem = error;
  });
  client.once("ready", () => {
    if (over) return;
    clearTimeout(timer);
    on.ready(client);
  });
  for (const event of ["close", "end"])
    client.once(event, () => end(problem ?? new Error("the connection was closed")));
  if (client.status === "wait")
    client.connect().catch((error: Error) => {
      problem ??= error;
      end(problem);
    });
  return { end };
}

/** Destroys the socket immediately: a graceful close would wait for a response that may never come. */
function destroy(client: Client): void {
  const nodes = "nodes" in client ? client.nodes("all") : [client];
  client.disconnect();
  for (const node of nodes) node.stream?.destroy();
}
