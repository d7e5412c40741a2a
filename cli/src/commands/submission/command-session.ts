import type { PublicChallenge } from "@crowdai/shared";
import { proxyAgents } from "../../client/http/proxy-agents.ts";
import type { BrokerSession, SessionOptions } from "../../client/session/broker-session.ts";
import { openSession } from "../../client/session/session.ts";
import type { Connection } from "../../connection/connection.ts";
import type { Io } from "../../terminal/io.ts";

export interface CommandSession {
  session: BrokerSession;
  challenge: PublicChallenge | null;
  /** The further options of submitInput and evaluateValues. */
  route: { broker: URL; agents: ReturnType<typeof proxyAgents>; signal: AbortSignal };
}

/** Opens the session of a command. It ends when it is closed or the command is interrupted. */
export async function openCommandSession(
  connection: Pick<Connection, "settings" | "client" | "key" | "ciSessions">,
  { env, signal }: Pick<Io, "env" | "signal">,
  challenge?: string,
  { lostAfterMs, onConnection }: Pick<SessionOptions, "lostAfterMs" | "onConnection"> = {},
): Promise<CommandSession> {
  const { client, settings } = connection;
  const broker = new URL(settings.broker);
  const agents = proxyAgents(env);
  const key = await connection.key();
  const lease = await connection.ciSessions();
  const shared = { broker, key, lease, challenge, client, signal, agents };
  const session = await openSession({ ...shared, lostAfterMs, onConnection });
  return { session, challenge: session.opening.challenge, route: { broker, agents, signal } };
}
