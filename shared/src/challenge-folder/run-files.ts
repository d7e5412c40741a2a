import { quoted } from "../protocol/suggest.ts";
import type { ConfigProblem } from "./config-problems.ts";
import { overlap, type PathKind, type PathProblem, plainPath, unfitPath } from "./folder-paths.ts";
import { type RunConfig, runSchema } from "./run-config.ts";

/**
 * Finds files and folders of `run` that do not exist, lead out of the challenge folder, or would show the
 * private input to participants. Skips a `run` of the wrong form.
 */
export async function runFileProblems(dir: string, given: unknown): Promise<ConfigProblem[]> {
  const { data: run } = runSchema.safeParse(given);
  if (!run) return [];
  const data: PathKind = "lines" in run.output ? "file" : "folder";
  const named: [field: string, path: string | null, kind: PathKind][] = [
    ["run.input", run.input, data],
    ["run.sample", run.sample, data],
    ["run.packages", run.packages, "folder"],
    ["run.image.path", run.image === "host" ? null : run.image.path, "file or folder"],
  ];
  const problems: ConfigProblem[] = [];
  for (const [field, path, kind] of named) {
    if (path === null) continue;
    const problem = (await unfitPath(dir, path, kind)) ?? exposure(field, path, run);
    if (problem) problems.push({ file: "challenge.json", field, ...problem });
  }
  if ("lines" in run.output && run.input === null)
    problems.push({
      ...{ file: "challenge.json", field: "run.input" },
      ...{ expected: "a file of JSON lines, which output.lines answers", got: "none" },
    });
  return problems;
}

/**
 * The private input is in the box of its own stage alone: not in public/, and not with the sample, which has
 * full logs.
 */
function exposure(field: string, path: string, { input }: RunConfig): PathProblem | null {
  if (input === null) return null;
  if (field !== "run.input") {
    if (!overlap(plainPath(path), plainPath(input))) return null;
    return { expected: `a place apart from run.input (${quoted(input)})`, got: quoted(path) };
  }
  if (!overlap(plainPath(path), "public")) return null;
  return { expected: "a place outside public/, which everyone can download", got: quoted(path) };
}
