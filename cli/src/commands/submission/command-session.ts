import type { PublicChallenge } from "@crowdai/shared";
import { proxyAgents } from "../../client/http/proxy-agents.ts";
import type { BrokerSession } from "../../client/session/broker-session.ts";
import { openSession } from "../../client/session/session.ts";
import type { Context } from "../../context.ts";

export interface CommandSession {
  session: BrokerSession;
  challenge: PublicChallenge | null;
  /** What submitInput and evaluateValues need besides. */
  route: { broker: URL; agents: ReturnType<typeof proxyAgents>; signal: AbortSignal };
}

/** Opens a command's session. It ends with the context's signal, or when it is closed. */
export async function openCommandSession(context: Context, challenge?: string): Promise<CommandSession> {
  const { signal, client } = context;
  const broker = new URL(context.settings.broker);
  const agents = proxyAgents(context.env);
  const key = await context.key();
  const session = await openSession({ broker, key, challenge, client, signal, agents });
  return { session, challenge: session.opening.challenge, route: { broker, agents, signal } };
}
