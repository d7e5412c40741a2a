import { markedStep } from "../marked-steps.ts";
import type { AgentAnswer, AgentRequest } from "../protocol/agent.ts";
import { openJournalFiles } from "./journal-files.ts";
import { createRequestQueue, type RequestQueue } from "./request-queue.ts";
import type { JournalEntry, StepChannel } from "./step-channel.ts";

interface Ask {
  session: string;
  request: AgentRequest;
  resolve: (answer: AgentAnswer) => void;
  reject: (reason: unknown) => void;
}

interface Server {
  queue: RequestQueue<Ask>;
  lost: AbortController;
}

/**
 * Creates a step channel for a broker and a grader in one process. Journals are files in the folder, so that
 * a session can continue after the process was started again.
 */
export async function createEmbeddedStepChannel({ folder }: { folder: string }): Promise<StepChannel> {
  const journals = await openJournalFiles(folder);
  /** Not answered yet, in order. */
  const asks = new Set<Ask>();
  /** The latest of each session. */
  const servers = new Map<string, Server>();
  let closed = false;

  function throwIfClosed(): void {
    if (closed) throw new Error("The step channel is closed.");
  }

  return {
    async ask(session, request, signal) {
      signal.throwIfAborted();
      throwIfClosed();
      const { promise, resolve, reject } = Promise.withResolvers<AgentAnswer>();
      const ask: Ask = { session, request, resolve, reject };
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort);
      asks.add(ask);
      servers.get(session)?.queue.add(ask);
      try {
        return await promise;
      } finally {
        signal.removeEventListener("abort", onAbort);
        asks.delete(ask);
        servers.get(session)?.queue.remove(ask);
      }
    },

    async serve(session, answer) {
      throwIfClosed();
      // Opened after the journal of the grader before, which writes nothing from here on.
      const opening = journals.open(session);
      const unwritten: JournalEntry[] = [];
      const queue = createRequestQueue<Ask>(
        async ({ request }) => {
          await opening;
          return answer(request);
        },
        async (ask, reply) => {
          if (!reply) return;
          const journal = await opening;
          if (servers.get(session) !== server) return;
          try {
            if (reply.entry) unwritten.push(reply.entry);
            await markedStep("channel.append", async () => journal.append(unwritten));
            ask.resolve(reply.answer);
          } catch (error) {
            // The request can be repeated, and what could not be written comes first then.
            ask.reject(error);
          }
        },
      );
      const before = servers.get(session);
      void before?.queue.stop();
      before?.lost.abort();
      const server: Server = { queue, lost: new AbortController() };
      servers.set(session, server);
      for (const ask of asks) if (ask.session === session) queue.add(ask);
      const journal = await opening.catch((error) => {
        leave();
        throw error;
      });
      return {
        lost: server.lost.signal,
        reachableSince: () => 0,
        async [Symbol.asyncDispose]() {
          await queue.stop();
          journal.close();
          leave();
        },
      };

      function leave(): void {
        if (servers.get(session) === server) servers.delete(session);
      }
    },

    journal: (session) => journals.read(session),
    forget: (session) => markedStep("channel.remove", () => journals.remove(session)),

    async close() {
      closed = true;
      for (const { queue } of servers.values()) void queue.stop();
      for (const { reject } of asks) reject(new Error("The step channel is closed."));
    },
  };
}
