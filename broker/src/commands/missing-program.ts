import { spawnSync } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";

/**
 * Returns the program that starts the evaluator when this machine does not have it, else null. A grader may
 * have it.
 */
export async function missingProgram(
  evaluator: ChallengeFolder["config"]["evaluator"],
  path: string,
): Promise<string | null> {
  const program =
    "command" in evaluator ? evaluator.command[0] : "python" in evaluator ? evaluator.python : undefined;
  // The folder itself has a program with a relative path, which was checked with it.
  if (program === undefined || (program.includes("/") && !isAbsolute(program))) return null;
  const places = isAbsolute(program)
    ? [program]
    : path
        .split(delimiter)
        .filter(Boolean)
        .map((folder) => join(folder, program));
  const found = await Promise.allSettled(places.map((place) => access(place, constants.X_OK)));
  return found.some(({ status }) => status === "fulfilled") ? null : program;
}

const FINDS_PANDAS = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pandas') is None)";

/**
 * Whether the interpreter of a metric of Kaggle does not find pandas on this machine. A grader may have it.
 */
export function lacksPandas({ dir, config }: Pick<ChallengeFolder, "dir" | "config">, path: string): boolean {
  if (!("kaggle" in config.evaluator)) return false;
  const asked = spawnSync(config.evaluator.python, ["-c", FINDS_PANDAS], {
    cwd: dir,
    env: { PATH: path },
    stdio: "ignore",
  });
  return asked.status === 1;
}
