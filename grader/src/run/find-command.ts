import { lstatSync } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import type { RunConfig } from "@crowdai/shared/challenge-folder";
import { hasProgram } from "./images.ts";
import { RunFailure } from "./run-failure.ts";

export type Command = readonly [string, ...string[]];

/** Programs whose first argument, when it is not an option, is a file. */
const INTERPRETERS = /^(?:python[\d.]*|node|bun|deno|sh|bash|dash|perl|ruby|php|Rscript|julia|lua)$/;
const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * Returns the command to run: the challenge's, the submission's, or that of the crowdai.json in the code.
 * Throws code_invalid.
 */
export async function findCommand(
  run: RunConfig,
  submitted: readonly string[] | null,
  codeDir: string,
): Promise<Command> {
  if (run.command !== "submission") return run.command as unknown as Command;
  if (submitted && submitted.length > 0) return submitted as Command;
  const path = join(codeDir, "crowdai.json");
  const found = await lstat(path).catch(() => null);
  const text = found?.isFile() && found.size <= MAX_CONFIG_BYTES ? await readFile(path, "utf8") : "null";
  const named = commandIn(text);
  if (named) return named;
  throw new RunFailure(
    "code_invalid",
    'The submission names no command. Add one to crowdai.json: {"code": {"command": ["python3", "main.py"]}}.',
  );
}

function commandIn(text: string): Command | null {
  try {
    const { command } = (JSON.parse(text) as { code: { command: unknown } }).code;
    const isCommand =
      Array.isArray(command) &&
      command.length > 0 &&
      command.every((word) => typeof word === "string" && word !== "" && !word.includes("\0"));
    return isCommand ? (command as unknown as Command) : null;
  } catch {
    return null;
  }
}

/**
 * Finds out before anything runs that a command cannot be started. Once the program runs, an exit code says
 * nothing about that: it chooses the code itself. `mayBuild` says that a build may still make the missing
 * file.
 */
export function requireCommand(
  [program, ...args]: Command,
  options: { codeDir: string; root: string | null; isChallenges: boolean; field: string; mayBuild: boolean },
): void {
  const { codeDir, root, isChallenges, field, mayBuild } = options;
  if (!program.includes("/")) {
    if (!hasProgram(root, program))
      throw isChallenges
        ? new RunFailure(
            "image_invalid",
            "The challenge's image lacks the program that runs the code.",
            `${field}.command names ${program}, which is not on the PATH of the box`,
          )
        : new RunFailure("code_invalid", `The program ${program} is not installed where the code runs.`);
    const file = args[0];
    if (INTERPRETERS.test(basename(program)) && file && !file.startsWith("-")) requireFile(file);
    return;
  }
  requireFile(program);

  function requireFile(name: string): void {
    const path = posix.resolve("/code", name);
    if (!path.startsWith("/code/") || mayBuild) return;
    const inside = path.slice("/code/".length);
    try {
      lstatSync(join(codeDir, inside));
    } catch {
      throw new RunFailure("code_invalid", `The submitted code has no file ${inside}.`);
    }
  }
}
