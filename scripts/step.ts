import { spawn } from "node:child_process";
import { root } from "./root.ts";

/** Runs a part of a longer script under a heading, and says how long it took. */
export async function step<T>(title: string, work: () => T | Promise<T>): Promise<T> {
  const began = performance.now();
  console.log(`\n── ${title}`);
  const result = await work();
  console.log(`   ${title}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return result;
}

const MAX_COMMAND_MS = 15 * 60_000;

/** Runs a command in the root folder with this terminal. Resolves to its exit code: 1 when it was killed, 127 when it is not there. */
export function runCommand(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
      timeout: MAX_COMMAND_MS,
      killSignal: "SIGKILL",
    });
    child.on("error", (error) => {
      console.error(`${command} cannot be started: ${error.message}`);
      resolve(127);
    });
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
