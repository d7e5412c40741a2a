import { type AgentRequest, roundNumbers } from "@crowdai/shared";

/** Returns a request of an agent by its type, with the numbers of its action as JavaScript has them. */
export function agentRequest(type: AgentRequest["type"], rest: object): AgentRequest {
  const request = { ...rest, type } as AgentRequest;
  return request.type === "step" ? { ...request, action: roundNumbers(request.action) } : request;
}
