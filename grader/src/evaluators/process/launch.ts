import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { ChallengeFolder, ProcessConfig } from "@crowdai/shared/challenge-folder";
import { limited, type ProcessLimitTools } from "@crowdai/shared/process-limits";

/** All that is needed to start a challenge's evaluator. */
export interface Launch {
  argv: readonly [string, ...string[]];
  cwd: string;
  path: string;
  mode: "batch" | "persistent";
  timeoutMs: number;
  /** What to tell the organiser when a limit could not be set. */
  notice: string | null;
}

// Beside this file in the sources, and beside the bundle in dist/.
const DRIVER = fileURLToPath(new URL("./python_class.py", import.meta.url));

export function planLaunch(
  { dir }: Pick<ChallengeFolder, "dir">,
  evaluator: ProcessConfig,
  limitTools: ProcessLimitTools,
  path: string,
): Launch {
  const memory = evaluator.memory_mb === null ? [] : [`--data=${evaluator.memory_mb * 1024 * 1024}`];
  const notice =
    evaluator.memory_mb !== null && !limitTools.prlimit
      ? `The memory limit of ${evaluator.memory_mb} MB was not set: prlimit (util-linux) is not on this machine.`
      : null;
  const command = "command" in evaluator ? evaluator.command : pythonCommand(evaluator);
  // A relative program is the challenge folder's, whichever way the runtime looks it up.
  const program = command[0]!.includes("/") ? resolve(dir, command[0]!) : command[0]!;
  const argv = [
    // The grader kills what an evaluator started, with its process group.
    ...limited(limitTools, memory),
    program,
    ...command.slice(1),
  ] as [string, ...string[]];
  return {
    argv,
    cwd: dir,
    path,
    mode: "command" in evaluator ? evaluator.mode : evaluator.fresh ? "batch" : "persistent",
    timeoutMs: evaluator.timeout_seconds * 1000,
    notice,
  };
}

function pythonCommand(evaluator: { python_class: string; args: unknown; python: string }): string[] {
  const [file, name] = evaluator.python_class.split(":") as [string, string];
  return [evaluator.python, DRIVER, file, name, JSON.stringify(evaluator.args)];
}

/**
 * The whole environment of an evaluator. Nothing of the grader's own goes in but PATH, so that no key, database or
 * store address can be read from inside; and no Python cache is written into the challenge folder.
 */
export function evaluatorEnvironment(path: string, home: string): Record<string, string> {
  return {
    PATH: path,
    HOME: home,
    TMPDIR: home,
    LANG: "C.UTF-8",
    PYTHONUNBUFFERED: "1",
    PYTHONIOENCODING: "utf-8",
    PYTHONDONTWRITEBYTECODE: "1",
  };
}
