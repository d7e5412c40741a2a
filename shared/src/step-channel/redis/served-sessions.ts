import type { AgentRequest } from "../../protocol/agent.ts";
import { pause } from "../../queue/pause.ts";
import { createBatches } from "../../queue/redis/batches.ts";
import type { QueueLog } from "../../queue/redis/queue-log.ts";
import { createRequestQueue, type RequestQueue } from "../request-queue.ts";
import type { JournalEntry, PlayedEntry, StepChannel } from "../step-channel.ts";
import { writeMessage } from "./messages.ts";
import { SERVER_MS } from "./scripts.ts";

const REFRESH_MS = SERVER_MS / 3;
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1000;
/** How long the last answer is tried to be sent when its session is left. */
const LAST_REPLY_MS = 5000;

/** An element of the journal in Redis: the id of the request, and what was recorded with its answer. */
export type JournalElement = [id: string, entry: PlayedEntry];

interface Received {
  id: string;
  from: string;
  request: AgentRequest;
}

/** An answer, as Redis records and sends it. */
export interface Reply {
  server: string;
  session: string;
  /** The process that asked. */
  to: string;
  message: string;
  /** The element of the journal; "" for none, and "submit" for that of a submit. */
  element: string;
  /** Whether it was sent before, and may be recorded. */
  again: boolean;
}

interface Sent {
  id: string;
  reply: Reply;
}

interface Served {
  server: string;
  /** False until Redis knows the server. */
  claimed: boolean;
  queue: RequestQueue<Received>;
  lost: AbortController;
  /** Ids of requests that wait, run, or got no answer. */
  received: Set<string>;
  /**
   * The latest answers, which are sent again when they were lost: the one that was recorded, and the one that
   * was not, because something else may be asked while a step that must not be done twice has no answer yet.
   */
  recorded: Sent | null;
  other: Sent | null;
  /** When sending the last answer is given up. */
  until: number;
}

/** The sessions that this process serves. */
export interface ServedSessions {
  serve: StepChannel["serve"];
  receive(session: string, request: Received): void;
  readonly size: number;
  /** Claims again what Redis may have lost. */
  refresh(): Promise<void>;
  close(): void;
}

export function createServedSessions(options: {
  /** Name of this process. */
  process: string;
  /**
   * Takes a session over, and returns the last element of its journal. Rejects when Redis stays unreachable.
   */
  claim: (server: string, session: string) => Promise<JournalElement | null>;
  leave: (server: string, session: string) => Promise<void>;
  /** Keeps sessions. Resolves with whether each is still served here. */
  refresh: (served: readonly { server: string; session: string }[]) => Promise<boolean[]>;
  /** Records and sends answers. Resolves with whether each session is still served here. */
  reply: (replies: readonly Reply[]) => Promise<boolean[]>;
  reachableSince: () => number;
  log: QueueLog;
}): ServedSessions {
  const { log } = options;
  const sessions = new Map<string, Served>();
  let count = 0;
  const closing = new AbortController();

  const isServed = (session: string, server: string) => sessions.get(session)?.server === server;

  function leave({ queue, lost }: Served): void {
    void queue.stop();
    lost.abort();
  }

  function lose(session: string, server: string): void {
    const served = sessions.get(session);
    if (served?.server !== server) return;
    sessions.delete(session);
    leave(served);
    log.warn({ event: "session_lost", submission: session }, "session taken over by another grader");
  }

  const replies = createBatches<Reply>({
    async send(batch) {
      const kept = await options.reply(batch);
      for (const [i, { session, server }] of batch.entries()) if (!kept[i]) lose(session, server);
    },
    maxItems: 200,
    maxWeight: 1_000_000,
    weigh: ({ message, element }) => message.length + element.length,
  });

  /** Sends an answer as often as Redis fails. */
  async function send(reply: Reply, served: Served): Promise<void> {
    for (let pauseMs = MIN_PAUSE_MS; !closing.signal.aborted && isServed(reply.session, served.server); )
      try {
        return await replies.add(reply);
      } catch (err) {
        if (closing.signal.aborted) return;
        reply.again = true;
        if (performance.now() > served.until) return;
        if (pauseMs === MIN_PAUSE_MS)
          log.warn(
            { event: "step_answer_deferred", submission: reply.session, err },
            "step answer not sent, retrying",
          );
        await pause(pauseMs, closing.signal);
        pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
      }
  }

  async function refresh(): Promise<void> {
    const all = [...sessions].flatMap(([session, { server, claimed }]) =>
      claimed ? [{ session, server }] : [],
    );
    if (all.length === 0) return;
    try {
      const kept = await options.refresh(all);
      for (const [i, { session, server }] of all.entries()) if (!kept[i]) lose(session, server);
    } catch {
      // Redis is unreachable; the next time tries again.
    }
  }
  const timer = setInterval(() => void refresh(), REFRESH_MS);

  return {
    async serve(session, answer) {
      const server = `${options.process}/${++count}`;
      const served: Served = {
        server,
        claimed: false,
        queue: createRequestQueue<Received>(
          async (received) => answer(nameAsRecorded(received, await claiming)),
          async ({ id, from }, answered) => {
            if (!answered) return;
            const { answer, entry } = answered;
            const reply: Reply = {
              ...{ server, session, to: from },
              message: writeMessage(["answer", id, answer]),
              element: entry ? elementOf(id, entry) : "",
              again: false,
            };
            served[entry ? "recorded" : "other"] = { id, reply };
            served.received.delete(id);
            await send(reply, served);
          },
        ),
        lost: new AbortController(),
        received: new Set(),
        recorded: null,
        other: null,
        until: Number.POSITIVE_INFINITY,
      };
      const before = sessions.get(session);
      if (before) leave(before);
      sessions.set(session, served);
      const claiming = options.claim(server, session);
      try {
        await claiming;
        served.claimed = true;
      } catch (error) {
        if (isServed(session, server)) sessions.delete(session);
        throw error;
      }
      return {
        lost: served.lost.signal,
        reachableSince: options.reachableSince,
        async [Symbol.asyncDispose]() {
          served.until = performance.now() + LAST_REPLY_MS;
          await served.queue.stop();
          if (!isServed(session, server)) return;
          sessions.delete(session);
          // Otherwise it expires.
          await options.leave(server, session).catch(() => {});
        },
      };
    },

    receive(session, received) {
      const served = sessions.get(session);
      if (!served || served.received.has(received.id)) return;
      const sent = [served.recorded, served.other].find((one) => one?.id === received.id);
      if (sent) {
        void replies.add({ ...sent.reply, again: true }).catch(() => {});
        return;
      }
      served.received.add(received.id);
      served.queue.add(received);
    },

    refresh,

    get size() {
      return sessions.size;
    },

    close() {
      closing.abort();
      clearInterval(timer);
      for (const { queue } of sessions.values()) void queue.stop();
    },
  };
}

const elementOf = (id: string, entry: JournalEntry): string =>
  entry.type === "submit" ? entry.type : JSON.stringify([id, entry] satisfies JournalElement);

/**
 * Returns a request, with episode and step when the journal has recorded its answer: the grader before died
 * before it was sent, and a session answers a repeated request once.
 */
function nameAsRecorded({ id, request }: Received, last: JournalElement | null): AgentRequest {
  if (last?.[0] !== id) return request;
  const { type, episode, ...entry } = last[1];
  if (request.type === "reset" && type === "reset") return { ...request, episode };
  if (request.type === "step" && "n" in entry) return { ...request, episode, n: entry.n };
  return request;
}
