import {
  type Ack,
  type AgentRequest,
  CrowdaiError,
  type SessionAnswer,
  sessionRequestSchemas,
} from "@crowdai/shared";
import type { Socket } from "socket.io";
import { z } from "zod";
import { agentRequest } from "../domain/sessions/agent-request.ts";
import type { RemoteAgents } from "../domain/sessions/remote-agents.ts";
import type { SessionKey } from "./session-keys.ts";
import type { Request } from "./session-requests.ts";

/** How long a request may stay without an answer, before the client has to ask again. */
const MAX_WAIT_MS = 15_000;

/**
 * Handles the requests of agents to their sessions. The key is not looked up for each of them: a connection
 * is ended within a second of its key's revocation.
 */
export function environmentRequests(options: {
  agents: RemoteAgents;
  logged: (thrown: unknown) => CrowdaiError;
  maxWaitMs?: number;
}): ReadonlyMap<string, Request> {
  const { agents, logged, maxWaitMs = MAX_WAIT_MS } = options;

  async function answerTo(socket: Socket, name: EventName, message: unknown): Promise<SessionAnswer> {
    const input = sessionRequestSchemas[name].safeParse(message);
    if (!input.success) throw new CrowdaiError("usage", `${name}: ${z.prettifyError(input.error)}`);
    const { id, ...rest } = input.data;
    const { caller } = socket.data as SessionKey;
    const answer = await agents.ask(caller, id, agentRequest(TYPES[name], rest), maxWaitMs);
    return answer ?? agents.waiting(id);
  }

  const names = Object.keys(TYPES) as EventName[];
  return new Map(
    names.map((name) => [
      name,
      async (socket, message, acknowledge) => {
        // Until the connection has read the next message: what a session does is not the connection's work.
        await null;
        const answer =
          typeof acknowledge === "function" ? (acknowledge as (ack: Ack<SessionAnswer>) => void) : () => {};
        try {
          answer({ ok: true, value: await answerTo(socket, name, message) });
        } catch (thrown) {
          answer({ ok: false, error: logged(thrown).toBody() });
        }
      },
    ]),
  );
}

type EventName = keyof typeof sessionRequestSchemas;

const TYPES: Readonly<Record<EventName, AgentRequest["type"]>> = {
  "environment:hello": "hello",
  "environment:reset": "reset",
  "environment:step": "step",
  "environment:submit": "submit",
};
