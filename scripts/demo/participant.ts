import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { RunningBroker } from "../lib/running-broker.ts";
import { prompt, type Shell } from "./prompt.ts";

/**
 * A participant with an empty folder, and an environment in which nothing of this machine's own settings
 * counts.
 */
export async function register(
  broker: RunningBroker,
  folder: string,
  name: string,
): Promise<{ key: string; shell: Shell }> {
  prompt(`crowdai-broker participant add ${name}`);
  const key = await broker.addParticipant(name);
  console.log(`${key.slice(0, 12)}…`);
  const cwd = join(folder, "participants", name);
  mkdirSync(cwd, { recursive: true });
  const env = {
    ...process.env,
    CROWDAI_BROKER: broker.url,
    CROWDAI_API_KEY: key,
    CROWDAI_CONFIG_DIR: join(cwd, ".config"),
  };
  prompt(`export CROWDAI_BROKER=${broker.url} CROWDAI_API_KEY=${key.slice(0, 12)}…`);
  return { key, shell: { cwd, env } };
}
