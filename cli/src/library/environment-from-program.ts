import type { BrokerSession } from "../client/session/broker-session.ts";
import type { Environment } from "../environment/environment.ts";
import { type OpenEnvironmentOptions, openEnvironment } from "../environment/open-environment.ts";

let hasJoined = false;

/**
 * Opens a session for a program. The first one of a program that `crowdai run` has started is the one that it
 * registered.
 */
export async function openProgramEnvironment<Observation, Action>(
  session: BrokerSession,
  options: OpenEnvironmentOptions,
): Promise<Environment<Observation, Action>> {
  const { CROWDAI_SUBMISSION: registered, CROWDAI_CHALLENGE: challenge } = process.env;
  const isFor = challenge === session.opening.challenge!.id;
  if (options.id !== undefined || !registered || !isFor || hasJoined)
    return openEnvironment(session, options);
  const environment = await openEnvironment<Observation, Action>(session, { ...options, id: registered });
  hasJoined = true;
  return environment;
}
