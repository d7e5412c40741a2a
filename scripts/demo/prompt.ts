import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "../lib/root.ts";

const client = join(root, "cli/bin/crowdai.js");

/** Prints a line as it would be typed. */
export function prompt(line: string): void {
  console.log(`\n$ ${line}`);
}

/** Prints what comes next. */
export function say(sentence: string): void {
  console.log(`\n# ${sentence}`);
}

export interface Shell {
  cwd: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Runs the built `crowdai` command on this terminal, after a prompt line: `shown`, or what the arguments say.
 * An exit code other than `expected` ends the demo.
 */
export async function crowdai(
  { cwd, env }: Shell,
  args: readonly string[],
  {
    shown = ["crowdai", ...args].map(quote).join(" "),
    expected = 0,
  }: { shown?: string; expected?: number } = {},
): Promise<void> {
  prompt(shown);
  const code = await new Promise<number>((resolve, reject) => {
    const child = spawn(process.execPath, [client, ...args], {
      cwd,
      env,
      stdio: ["ignore", "inherit", "inherit"],
    });
    const kill = () => child.kill("SIGKILL");
    process.once("exit", kill);
    child.on("error", reject);
    child.on("exit", (exitCode) => {
      process.off("exit", kill);
      resolve(exitCode ?? 1);
    });
  });
  if (code !== 0) console.log(`(exit code ${code})`);
  if (code !== expected)
    throw new Error(`crowdai ${args[0]} ended with exit code ${code} instead of ${expected}`);
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `"${word.replace(/["$`\\]/g, "\\$&")}"`;
}
