import { randomUUID } from "node:crypto";
import { markedStep } from "../../marked-steps.ts";
import { pause } from "../../queue/pause.ts";
import type { QueueLog } from "../../queue/redis/queue-log.ts";
import {
  type Client,
  createReconnectingConnection,
  type ReconnectingConnection,
} from "../../queue/redis/reconnecting-connection.ts";
import { runScript, type Script } from "../../queue/redis/script.ts";
import type { StepChannel } from "../step-channel.ts";
import { type Asks, createAsks } from "./asks.ts";
import { type Inbox, openInbox } from "./inbox.ts";
import { readMessage, writeMessage } from "./messages.ts";
import { LEAVE, REFRESH, REPLY, SEND, SERVE } from "./scripts.ts";
import { createServedSessions, type JournalElement, type ServedSessions } from "./served-sessions.ts";

export interface RedisStepChannelOptions {
  /** Creates a client for one connection; see connectionsTo. */
  redis: () => Client;
  /** The prefix of all keys. Channels with different prefixes share nothing. */
  prefix?: string;
  log: QueueLog;
}

/** How long a call other than `ask` waits for an unreachable Redis. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 200;

interface Opened {
  connection: ReconnectingConnection;
  inbox: Inbox;
  asks: Asks;
  served: ServedSessions;
}

/**
 * Creates a step channel on Redis lists, with two connections whatever the number of sessions; they are
 * opened when they are first used. Redis forgets a journal two days after its last step. A channel that never
 * asks or serves connects to nothing.
 */
export function createRedisStepChannel({ redis, prefix, log }: RedisStepChannelOptions): StepChannel {
  const base = `{${prefix ?? "crowdai"}}`;
  const key = (kind: string, name: string) => `${base}:steps:${kind}:${name}`;
  const process = randomUUID();
  let opened: Opened | null = null;
  const closing = new AbortController();

  function open(): Opened {
    if (closing.signal.aborted) throw new Error("The step channel is closed.");
    opened ??= connect();
    return opened;
  }

  function connect(): Opened {
    const connection = createReconnectingConnection({ redis, onReady: () => void served.refresh() });
    const run = (script: Script, args: readonly string[]) =>
      connection.use((client) => runScript(client, base, script, args));

    const asks = createAsks({
      process,
      send: async (requests) =>
        (await markedStep("channel.ask", () =>
          run(SEND, [process, ...requests.flatMap(({ session, message }) => [session, message])]),
        )) as string[],
      async servers(sessions) {
        const keys = sessions.map((session) => key("server", session));
        const servers = await connection.use((client) => client.mget(keys));
        return servers.map((server) => (server === "-" ? "" : (server ?? "")));
      },
    });

    const announcement = (session: string) => writeMessage(["served", session]);
    const served = createServedSessions({
      process,
      log,
      reachableSince: () => inbox.listeningSince(),
      claim: (server, session) =>
        retry(async () => {
          const last = await markedStep("channel.claim", () =>
            run(SERVE, [server, session, announcement(session)]),
          );
          return JSON.parse(String(last)) as JournalElement | null;
        }),
      async leave(server, session) {
        await markedStep("channel.leave", () => run(LEAVE, [server, session]));
      },
      refresh: async (all) =>
        kept(
          await run(
            REFRESH,
            all.flatMap(({ server, session }) => [server, session, announcement(session)]),
          ),
        ),
      reply: async (replies) =>
        kept(
          await markedStep("channel.answer", () =>
            run(
              REPLY,
              replies.flatMap(({ server, session, to, message, element, again }) => [
                ...[server, session, to, message, element],
                again ? "1" : "0",
              ]),
            ),
          ),
        ),
    });

    const inbox = openInbox({
      redis,
      key: key("inbox", process),
      receive(text) {
        const message = readMessage(text);
        if (message[0] === "answer") asks.answered(message[1], message[2]);
        else if (message[0] === "served") asks.served(message[1]);
        else {
          const [, id, from, session, request] = message;
          served.receive(session, { id, from, request });
        }
      },
      isBusy: () => asks.size + served.size > 2,
      onReconnect: asks.repeat,
    });
    return { connection, inbox, asks, served };
  }

  /** Repeats work while Redis is unreachable. */
  async function retry<T>(work: () => Promise<T>): Promise<T> {
    const until = performance.now() + PATIENCE_MS;
    for (;;)
      try {
        return await work();
      } catch (error) {
        if (closing.signal.aborted || performance.now() > until) throw error;
        await pause(PAUSE_MS, closing.signal);
      }
  }

  return {
    ask: async (session, request, signal) => open().asks.ask(session, request, signal),
    serve: async (session, answer) => open().served.serve(session, answer),

    async journal(session) {
      const { connection } = open();
      const [elements, submitted] = await retry(() =>
        connection.use((client) =>
          Promise.all([
            client.lrange(key("journal", session), 0, -1),
            client.exists(key("submitted", session)),
          ]),
        ),
      );
      const played = elements.map((element) => (JSON.parse(element) as JournalElement)[1]);
      return submitted ? [...played, { type: "submit" }] : played;
    },

    async forget(session) {
      const { connection } = open();
      await retry(() =>
        markedStep("channel.forget", () =>
          connection.use((client) =>
            client.del(...["journal", "submitted", "waiting", "owner"].map((kind) => key(kind, session))),
          ),
        ),
      );
    },

    async close() {
      closing.abort();
      opened?.asks.close(new Error("The step channel is closed."));
      opened?.served.close();
      opened?.inbox.close();
      opened?.connection.close();
    },
  };
}

const kept = (reply: unknown): boolean[] => (reply as number[]).map(Boolean);
