import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/root.ts";
import type { RunningBroker } from "../lib/running-broker.ts";
import { register } from "./participant.ts";
import { crowdai, say } from "./prompt.ts";

/**
 * Plays a participant of a code challenge, printing each step. Resolves to the settings needed to continue as
 * her.
 */
export async function participateWithCode(
  broker: RunningBroker,
  folder: string,
): Promise<{ key: string; submit: string }> {
  const ada = await register(broker, folder, "ada");
  const { cwd } = ada.shell;
  cpSync(join(root, "examples/participant/code-python"), cwd, { recursive: true });
  await crowdai(ada.shell, ["challenge", "iris-code"]);

  say("main.py trains a model on train.csv, and names the flowers of a file that only the program sees.");
  await crowdai(ada.shell, ["submit", "--code", "--dry-run"]);

  say("A mistake is found on the public sample, and costs no slot.");
  const program = readFileSync(join(cwd, "main.py"), "utf8");
  writeFileSync(join(cwd, "main.py"), program.replace('"petal_width"]', '"petal_length_cm"]'));
  await crowdai(ada.shell, ["submit", "--code", "-m", "A wrong column"], { expected: 6 });

  say("Corrected, it runs on the sample and then on the private input. The evaluator scores what it wrote.");
  writeFileSync(join(cwd, "main.py"), program);
  await crowdai(ada.shell, ["submit", "--code", "-m", "Gaussian naive Bayes"]);
  await crowdai(ada.shell, ["leaderboard", "iris-code"]);
  return { key: ada.key, submit: `--code ${cwd}` };
}
