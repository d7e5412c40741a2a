import type { AgentAnswer, AgentRequest } from "@crowdai/shared";
import type { JournalEntry, ServedSession, SessionReply } from "@crowdai/shared/step-channel";
import { createRequestQueue, type RequestQueue } from "../../shared/src/step-channel/request-queue.ts";
import { never, type Program, type World } from "./world.ts";

interface Ask {
  request: AgentRequest;
  resolve: (answer: AgentAnswer) => void;
}

/**
 * A step channel for one session that keeps the contract of shared/src/step-channel and outlives every
 * program.
 */
export interface SimulatedChannel {
  /** As a broker sees it. */
  ask(broker: Program, request: AgentRequest, signal: AbortSignal): Promise<AgentAnswer>;
  /** As a grader sees it. */
  serve(grader: Program, answer: (request: AgentRequest) => Promise<SessionReply>): Promise<ServedSession>;
  read(grader: Program): Promise<JournalEntry[]>;
  readonly journal: readonly JournalEntry[];
}

export function createSimulatedChannel(
  world: World,
  { heard, recorded }: { heard: (grader: Program) => void; recorded: (entry: JournalEntry) => void },
): SimulatedChannel {
  const journal: JournalEntry[] = [];
  const asks = new Set<Ask>();
  let current: RequestQueue<Ask> | null = null;
  let lost = new AbortController();

  return {
    journal,
    async ask(broker, request, signal) {
      await world.step(broker, `sends ${request.type}`);
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<AgentAnswer>();
      const ask: Ask = { request, resolve };
      const leave = () => {
        asks.delete(ask);
        current?.remove(ask);
      };
      broker.onCrash.push(leave);
      signal.addEventListener("abort", () => reject(signal.reason));
      asks.add(ask);
      current?.add(ask);
      return promise.finally(leave);
    },
    async serve(grader, answer) {
      await world.step(grader, "serves the session");
      const server = createRequestQueue<Ask>(
        ({ request }) => {
          heard(grader);
          return answer(request);
        },
        async (ask, reply) => {
          await world.step(grader, "records an answer");
          if (!reply || server !== current) return;
          if (reply.entry) {
            journal.push(reply.entry);
            recorded(reply.entry);
          }
          // Recorded and not sent: the next grader answers it from the journal.
          await world.step(grader, "sends an answer");
          asks.delete(ask);
          ask.resolve(reply.answer);
        },
      );
      void current?.stop();
      lost.abort();
      const mine = new AbortController();
      lost = mine;
      current = server;
      for (const ask of asks) server.add(ask);
      return {
        lost: mine.signal,
        reachableSince: () => 0,
        async [Symbol.asyncDispose]() {
          if (!grader.alive) return never();
          await server.stop();
          if (current === server) current = null;
        },
      };
    },
    async read(grader) {
      await world.step(grader, "reads the journal");
      heard(grader);
      return [...journal];
    },
  };
}
