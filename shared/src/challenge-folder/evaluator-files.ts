import { access, constants, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { quoted } from "../protocol/suggest.ts";
import type { ConfigProblem } from "./config-problems.ts";

const FILE = "challenge.json";
/** An argument that is meant as a script of the folder, as "evaluate.py" or "scoring/main.R". */
const SCRIPT = /^(?!-)[\w./-]+\.(?:py|js|mjs|cjs|ts|mts|rb|r|sh|bash|pl|jl|lua|php|jar)$/i;

/** Files that the evaluator of challenge.json names and that are not there, or cannot be run. Passes over what has the wrong type. */
export async function evaluatorFileProblems(dir: string, evaluator: unknown): Promise<ConfigProblem[]> {
  if (typeof evaluator !== "object" || evaluator === null) return [];
  if ("python_class" in evaluator) return pythonClassProblems(dir, evaluator.python_class);
  if ("command" in evaluator && Array.isArray(evaluator.command))
    return commandProblems(dir, evaluator.command);
  return [];
}

async function commandProblems(dir: string, command: unknown[]): Promise<ConfigProblem[]> {
  const mistakes: ConfigProblem[] = [];
  for (const [index, word] of command.entries()) {
    // What an absolute path names is the grader's machine's business.
    if (typeof word !== "string" || isAbsolute(word)) continue;
    const isProgram = index === 0;
    const place = { file: FILE, field: `evaluator.command[${index}]` };
    if (isProgram && !word.includes("/")) {
      if (SCRIPT.test(word))
        mistakes.push({
          ...place,
          expected: `a program on the PATH, or ${quoted(`./${word}`)}`,
          got: quoted(word),
        });
    } else if (isProgram || SCRIPT.test(word)) {
      if (!(await isFile(join(dir, word))))
        mistakes.push({
          ...place,
          expected: "a file of the challenge folder",
          got: `${quoted(word)}, which is not there`,
        });
      else if (isProgram && !(await isExecutable(join(dir, word))))
        mistakes.push({ ...place, expected: "a file that may be executed (chmod +x)", got: quoted(word) });
    }
  }
  return mistakes;
}

async function pythonClassProblems(dir: string, pythonClass: unknown): Promise<ConfigProblem[]> {
  const file = typeof pythonClass === "string" ? pythonClass.split(":")[0] : undefined;
  if (!file?.endsWith(".py") || isAbsolute(file) || (await isFile(join(dir, file)))) return [];
  const got = `${quoted(file)}, which is not there`;
  return [{ file: FILE, field: "evaluator.python_class", expected: "a file of the challenge folder", got }];
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

const isExecutable = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
