import { access, constants, open, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { quoted } from "../protocol/suggest.ts";
import { codabenchProblems } from "./codabench-files.ts";
import type { ConfigProblem } from "./config-problems.ts";
import { evalaiFileProblems, privateFileProblems } from "./ported-files.ts";

const FILE = "challenge.json";
/** An argument that names a script of the folder, for example "evaluate.py" or "scoring/main.R". */
const SCRIPT = /^(?!-)[\w./-]+\.(?:py|js|mjs|cjs|ts|mts|rb|r|sh|bash|pl|jl|lua|php|jar)$/i;

/** Finds evaluator files that do not exist or are not executable. Skips fields of the wrong type. */
export async function evaluatorFileProblems(dir: string, evaluator: unknown): Promise<ConfigProblem[]> {
  if (typeof evaluator !== "object" || evaluator === null) return [];
  if ("python_class" in evaluator) return pythonProblems(dir, "python_class", evaluator.python_class);
  if ("evalai" in evaluator) return evalaiFileProblems(dir, evaluator as Record<string, unknown>);
  if ("kaggle" in evaluator)
    return [
      ...(await pythonProblems(dir, "kaggle", evaluator.kaggle)),
      ...(await privateFileProblems(
        dir,
        "evaluator.solution",
        (evaluator as { solution?: unknown }).solution,
      )),
    ];
  if ("gym" in evaluator) return pythonProblems(dir, "gym", evaluator.gym);
  if ("codabench" in evaluator) return codabenchProblems(dir, evaluator);
  if ("command" in evaluator && Array.isArray(evaluator.command))
    return commandProblems(dir, evaluator.command);
  return [];
}

async function commandProblems(dir: string, command: unknown[]): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  for (const [index, word] of command.entries()) {
    // An absolute path belongs to the grader's machine, which may be another one.
    if (typeof word !== "string" || isAbsolute(word)) continue;
    const isProgram = index === 0;
    const place = { file: FILE, field: `evaluator.command[${index}]` };
    if (isProgram && !word.includes("/")) {
      if (SCRIPT.test(word))
        problems.push({
          ...place,
          expected: `a program on the PATH, or ${quoted(`./${word}`)}`,
          got: quoted(word),
        });
    } else if (isProgram || SCRIPT.test(word)) {
      if (!(await isFile(join(dir, word))))
        problems.push({
          ...place,
          expected: "a file in the challenge folder",
          got: `${quoted(word)}, which does not exist`,
        });
      else if (isProgram && !(await isExecutable(join(dir, word))))
        problems.push({ ...place, expected: "an executable file (chmod +x)", got: quoted(word) });
      else if (isProgram && (await hasWindowsShebang(join(dir, word))))
        problems.push({
          file: word,
          field: "line 1",
          expected: "a line that ends in a line feed alone, as in Unix text files",
          got: "a carriage return, which the system takes as part of the interpreter's name",
        });
    }
  }
  return problems;
}

async function pythonProblems(dir: string, field: string, named: unknown): Promise<ConfigProblem[]> {
  const file = typeof named === "string" ? named.split(":")[0] : undefined;
  if (!file?.endsWith(".py") || isAbsolute(file) || (await isFile(join(dir, file)))) return [];
  const got = `${quoted(file)}, which does not exist`;
  return [{ file: FILE, field: `evaluator.${field}`, expected: "a file in the challenge folder", got }];
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

/** Whether a script names its interpreter in a line that ends as on Windows, so that it cannot start. */
async function hasWindowsShebang(path: string): Promise<boolean> {
  const file = await open(path, "r").catch(() => null);
  if (!file) return false;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0).finally(() => file.close());
  return /^#![^\n]*\r\n/.test(buffer.toString("latin1", 0, bytesRead));
}

const isExecutable = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
