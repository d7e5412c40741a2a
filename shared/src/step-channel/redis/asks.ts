import type { AgentAnswer, AgentRequest } from "../../protocol/agent.ts";
import { createBatches } from "../../queue/redis/batches.ts";
import { writeMessage } from "./messages.ts";

/** How often requests without an answer are looked after. */
const CHECK_MS = 250;
/**
 * After this time a request is sent again, then after twice as long, because it or its answer may be lost.
 */
const REPEAT_MS = 500;
const MAX_REPEAT_MS = 8000;

interface Ask {
  id: string;
  session: string;
  message: string;
  /** The server that it was sent to; "" for none. */
  server: string;
  sentAt: number;
  repeatMs: number;
  resolve: (answer: AgentAnswer) => void;
  reject: (reason: unknown) => void;
}

/** The requests of this process that have no answer yet. */
export interface Asks {
  ask(session: string, request: AgentRequest, signal: AbortSignal): Promise<AgentAnswer>;
  answered(id: string, answer: AgentAnswer): void;
  /** Sends the requests of a session that a grader has begun to serve. */
  served(session: string): void;
  readonly size: number;
  /** Sends all again, because their answers may be lost. */
  repeat(): void;
  close(reason: Error): void;
}

export function createAsks(options: {
  /** Name of this process. */
  process: string;
  /** Sends messages to the servers of their sessions. Resolves with the server of each, or "". */
  send: (requests: readonly { session: string; message: string }[]) => Promise<string[]>;
  /** Reads the servers of sessions. */
  servers: (sessions: readonly string[]) => Promise<string[]>;
}): Asks {
  const asks = new Map<string, Ask>();
  let count = 0;
  let checking = false;

  const batches = createBatches<Ask>({
    async send(batch) {
      const servers = await options.send(batch);
      for (const [i, ask] of batch.entries()) ask.server = servers[i]!;
    },
    maxItems: 200,
    maxWeight: 1_000_000,
    weigh: ({ message }) => message.length,
  });

  function send(ask: Ask): void {
    ask.sentAt = performance.now();
    batches.add(ask).catch(() => {
      ask.server = "";
    });
  }

  /** Sends again what has another server than it was sent to, or has waited for long. */
  async function check(): Promise<void> {
    const now = performance.now();
    const old = [...asks.values()].filter(({ sentAt }) => now - sentAt >= CHECK_MS);
    if (checking || old.length === 0) return;
    checking = true;
    try {
      const servers = await options.servers(old.map(({ session }) => session));
      for (const [i, ask] of old.entries()) {
        if (!asks.has(ask.id)) continue;
        const isLate = now - ask.sentAt >= ask.repeatMs;
        if (servers[i] === "" || (servers[i] === ask.server && !isLate)) continue;
        if (isLate) ask.repeatMs = Math.min(ask.repeatMs * 2, MAX_REPEAT_MS);
        send(ask);
      }
    } catch {
      // Redis is unreachable; the next check tries again.
    } finally {
      checking = false;
    }
  }
  const timer = setInterval(() => void check(), CHECK_MS);

  return {
    async ask(session, request, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<AgentAnswer>();
      const id = `${options.process}/${++count}`;
      const message = writeMessage(["ask", id, options.process, session, request]);
      const ask: Ask = { id, session, message, server: "", sentAt: 0, repeatMs: REPEAT_MS, resolve, reject };
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort);
      asks.set(id, ask);
      send(ask);
      try {
        return await promise;
      } finally {
        signal.removeEventListener("abort", onAbort);
        asks.delete(id);
      }
    },

    answered: (id, answer) => asks.get(id)?.resolve(answer),

    served(session) {
      for (const ask of asks.values()) if (ask.session === session) send(ask);
    },

    get size() {
      return asks.size;
    },

    repeat() {
      for (const ask of asks.values()) send(ask);
    },

    close(reason) {
      clearInterval(timer);
      for (const { reject } of asks.values()) reject(reason);
    },
  };
}
