import type { AgentAnswer, AgentRequest } from "../../protocol/agent.ts";

/** A message between processes. An id names a request of one process, however often it is sent. */
export type Message =
  | ["ask", id: string, from: string, session: string, request: AgentRequest]
  | ["answer", id: string, answer: AgentAnswer]
  | ["served", session: string];

export const writeMessage = (message: Message): string => JSON.stringify(message);
export const readMessage = (text: string): Message => JSON.parse(text);
