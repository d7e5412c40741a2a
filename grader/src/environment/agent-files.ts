import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Files that help agents speak with their session, by name. */
export const AGENT_FILES = ["crowdai_agent.py", "crowdai-agent.js"] as const;

/** Where an agent finds them in its box. */
export const AGENT_FOLDER = "/crowdai";

/** Returns their paths: in the sources below this file, and in dist/ beside the bundle. */
export function agentFiles(): Record<string, string> {
  const path = (name: string) => {
    const inSources = fileURLToPath(new URL(`./agent/${name}`, import.meta.url));
    return existsSync(inSources) ? inSources : fileURLToPath(new URL(`./${name}`, import.meta.url));
  };
  return Object.fromEntries(AGENT_FILES.map((name) => [`${AGENT_FOLDER}/${name}`, path(name)]));
}
