import { stat } from "node:fs/promises";
import { join } from "node:path";
import { quoted } from "../protocol/suggest.ts";
import type { ConfigProblem } from "./config-problems.ts";
import { overlap, plainPath, unfitPath } from "./folder-paths.ts";

type Raw = Record<string, unknown>;

const FILE = "challenge.json";

/**
 * Finds files that an evaluator of EvalAI names and that are missing or public. Skips fields of the wrong
 * type.
 */
export async function evalaiFileProblems(
  dir: string,
  { evalai, annotations }: Raw,
): Promise<ConfigProblem[]> {
  const named: [field: string, path: unknown][] =
    typeof annotations === "object" && annotations !== null
      ? Object.entries(annotations).map(([round, path]) => [`evaluator.annotations.${round}`, path])
      : [["evaluator.annotations", annotations]];
  const problems = await Promise.all(named.map(([field, path]) => privateFileProblems(dir, field, path)));
  return [...(await scriptProblems(dir, evalai)), ...problems.flat()];
}

async function scriptProblems(dir: string, path: unknown): Promise<ConfigProblem[]> {
  if (typeof path !== "string" || path === "") return [];
  const place = { file: FILE, field: "evaluator.evalai" };
  const unfit = await unfitPath(dir, path, "file or folder");
  if (unfit) return [{ ...place, ...unfit }];
  if (await isFile(join(dir, path)))
    return path.endsWith(".py")
      ? []
      : [{ ...place, expected: "a Python file or a folder", got: quoted(path) }];
  const entries = await Promise.all(["__init__.py", "main.py"].map((name) => isFile(join(dir, path, name))));
  if (entries.includes(true)) return [];
  const got = `${quoted(path)}, which has neither`;
  return [{ ...place, expected: "a folder with __init__.py or main.py", got }];
}

/** Finds a file with answers that is missing, or that participants could download. */
export async function privateFileProblems(
  dir: string,
  field: string,
  path: unknown,
): Promise<ConfigProblem[]> {
  if (typeof path !== "string" || path === "") return [];
  const place = { file: FILE, field };
  const unfit = await unfitPath(dir, path, "file");
  if (unfit) return [{ ...place, ...unfit }];
  if (!overlap("public", plainPath(path))) return [];
  return [
    { ...place, expected: "a file outside of public/, which participants download", got: quoted(path) },
  ];
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
