import { closeSync, openSync, readFileSync } from "node:fs";
import { type CommandOptions, type CommandResult, runCommand } from "../lib/run-command.ts";
import { step } from "../lib/step.ts";

/**
 * Starts a command beside other steps. Its output goes to a file, and is printed by the returned function,
 * which waits for its end.
 */
export function startInBackground(
  title: string,
  log: string,
  command: string,
  args: readonly string[],
  options: Omit<CommandOptions, "output"> = {},
): () => Promise<CommandResult> {
  const began = performance.now();
  const output = openSync(log, "w");
  let seconds = 0;
  const ended = runCommand(command, args, { ...options, output }).finally(() => {
    seconds = (performance.now() - began) / 1000;
    closeSync(output);
  });
  console.log(`\n── ${title}: started in the background`);
  return () =>
    step(`${title}: waiting for its end`, async () => {
      const result = await ended;
      process.stdout.write(readFileSync(log, "utf8"));
      console.log(`   ${title}: ${seconds.toFixed(1)} s in the background`);
      return result;
    });
}
