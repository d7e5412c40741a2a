import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/**
 * Schedules leave much garbage behind that is used only once, and a process ends before many of its functions
 * are called often enough to be compiled. Other processors have schedules of their own to run.
 */
const NODE_OPTIONS = [
  "--max-semi-space-size=32",
  "--min-semi-space-size=32",
  "--always-sparkplug",
  "--single-threaded-gc",
];

/** Compiled modules, which take as long to load from their sources as hundreds of schedules do. */
const COMPILED = join(import.meta.dirname, "../../node_modules/.cache/simulate");

/**
 * Runs a script of this folder in a process of its own, whose timers it may replace, and returns what it
 * sends.
 */
export async function runScript<T>(script: string, args: readonly string[] = []): Promise<T> {
  const child = fork(join(import.meta.dirname, script), args, {
    execArgv: NODE_OPTIONS,
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
  });
  const exited = once(child, "exit");
  let result: { message: T } | null = null;
  child.on("message", (message) => {
    result = { message: message as T };
  });
  const [code] = await exited;
  if (result === null) throw new Error(`${script} ${args.join(" ")} ended with exit code ${code}`);
  return (result as { message: T }).message;
}
