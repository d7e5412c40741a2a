import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/root.ts";
import type { RunningBroker } from "../lib/running-broker.ts";
import { register } from "./participant.ts";
import { crowdai, prompt, say } from "./prompt.ts";

/**
 * Plays a participant of an environment challenge, printing each step. Resolves to the settings needed to
 * continue as her.
 */
export async function participateWithAgents(
  broker: RunningBroker,
  folder: string,
): Promise<{ key: string; submit: string }> {
  const ada = await register(broker, folder, "ada");
  const { cwd, env } = ada.shell;
  cpSync(join(root, "examples/participant/lander-agent"), cwd, { recursive: true });
  await crowdai(ada.shell, ["challenge", "lander"]);
  await crowdai(ada.shell, ["data", "lander"]);

  say(
    "A remote agent runs here, and steps the environment over the network. This one presses buttons at random.",
  );
  await crowdai(ada.shell, ["run", "-c", "lander", "python3", "random_agent.py"]);

  say("A trained one. lander.py is public, so it can learn before it plays.");
  prompt("LANDER=lander python3 train.py");
  execFileSync("python3", ["train.py"], { cwd, env: { ...env, LANDER: "lander" }, stdio: "inherit" });
  await crowdai(ada.shell, ["run", "-c", "lander", "python3", "agent.py"]);

  say("The same agent as code: the grader runs it in a box, next to the environment.");
  await crowdai(ada.shell, ["submit", "--code", "-m", "Trained by the cross-entropy method"]);
  await crowdai(ada.shell, ["leaderboard", "lander"]);
  return { key: ada.key, submit: `--code ${cwd}` };
}
