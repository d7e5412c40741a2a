import { markedStep } from "../marked-steps.ts";
import type { AgentAnswer, AgentRequest } from "../protocol/agent.ts";
import { openJournalFiles } from "./journal-files.ts";
import { createRequestQueue, type RequestQueue } from "./request-queue.ts";
import type { JournalEntry, StepChannel } from "./step-channel.ts";

interface Ask {
  request: AgentRequest;
  resolve: (answer: AgentAnswer) => void;
  reject: (reason: unknown) => void;
}

interface Session {
  /** Not answered yet, in order. */
  asks: Set<Ask>;
  server: RequestQueue<Ask> | null;
  /** Of the server. */
  lost: AbortController;
}

/**
 * Creates a step channel for a broker and a grader in one process. Journals are files in the folder, so that
 * a session can continue after the process was started again.
 */
export async function createEmbeddedStepChannel({ folder }: { folder: string }): Promise<StepChannel> {
  const journals = await openJournalFiles(folder);
  const sessions = new Map<string, Session>();
  let closed = false;

  function sessionOf(id: string): Session {
    if (closed) throw new Error("The step channel is closed.");
    const session = sessions.get(id) ?? { asks: new Set(), server: null, lost: new AbortController() };
    sessions.set(id, session);
    return session;
  }

  function tidy(id: string, { asks, server }: Session): void {
    if (asks.size === 0 && !server) sessions.delete(id);
  }

  return {
    async ask(id, request, signal) {
      signal.throwIfAborted();
      const session = sessionOf(id);
      const { promise, resolve, reject } = Promise.withResolvers<AgentAnswer>();
      const ask: Ask = { request, resolve, reject };
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort);
      session.asks.add(ask);
      session.server?.add(ask);
      try {
        return await promise;
      } finally {
        signal.removeEventListener("abort", onAbort);
        session.asks.delete(ask);
        session.server?.remove(ask);
        tidy(id, session);
      }
    },

    async serve(id, answer) {
      const session = sessionOf(id);
      // Opened after the journal of the grader before, which writes nothing from here on.
      const opening = journals.open(id);
      const unwritten: JournalEntry[] = [];
      const server = createRequestQueue<Ask>(
        ({ request }) => answer(request),
        async (ask, reply) => {
          const journal = await opening.catch(() => null);
          if (!reply || !journal || session.server !== server) return;
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
      void session.server?.stop();
      session.lost.abort();
      const lost = new AbortController();
      session.server = server;
      session.lost = lost;
      for (const ask of session.asks) server.add(ask);
      const journal = await opening.catch((error) => {
        leave();
        throw error;
      });
      return {
        lost: lost.signal,
        async [Symbol.asyncDispose]() {
          await server.stop();
          journal.close();
          leave();
        },
      };

      function leave(): void {
        if (session.server === server) session.server = null;
        tidy(id, session);
      }
    },

    journal: (id) => journals.read(id),
    forget: (id) => markedStep("channel.remove", () => journals.remove(id)),

    async close() {
      closed = true;
      for (const { asks, server } of sessions.values()) {
        void server?.stop();
        for (const { reject } of asks) reject(new Error("The step channel is closed."));
      }
    },
  };
}
