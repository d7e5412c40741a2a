import { delimiter } from "node:path";

type Env = Readonly<Record<string, string | undefined>>;

/** The settings with which an agent finds its session. */
export interface AgentTarget {
  broker: string;
  key: string;
  challenge: string;
  submission: string;
  /** Folder with crowdai_agent.py and crowdai-agent.js. */
  agentFolder: string;
}

/**
 * Returns the environment of a program that steps a registered session: the caller's, and the CROWDAI_
 * variables. The key is bound to the broker of the session, whatever the caller's own key was bound to.
 */
export function agentEnvironment(
  env: Env,
  { broker, key, challenge, submission, agentFolder }: AgentTarget,
): NodeJS.ProcessEnv {
  return {
    // Output of an agent is shown at once.
    PYTHONUNBUFFERED: "1",
    ...env,
    PYTHONPATH: [agentFolder, env.PYTHONPATH].filter(Boolean).join(delimiter),
    CROWDAI_AGENT_DIR: agentFolder,
    CROWDAI_API_KEY: key,
    CROWDAI_API_KEY_FOR: new URL(broker).origin,
    CROWDAI_BROKER: broker,
    CROWDAI_CHALLENGE: challenge,
    CROWDAI_SUBMISSION: submission,
  };
}
