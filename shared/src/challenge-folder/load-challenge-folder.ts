import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { asCrowdaiError, CrowdaiError } from "../protocol/errors.ts";
import { isExactNumber } from "../protocol/exact-json.ts";
import { parseJson } from "../protocol/json-value.ts";
import { roundNumbers } from "../protocol/rounded-numbers.ts";
import { withCodeImplied, withGymEvaluator } from "./challenge-code.ts";
import { type ChallengeConfig, challengeConfigSchema } from "./challenge-config.ts";
import { loadCheck } from "./check-files.ts";
import { type ConfigProblem, configInvalid } from "./config-problems.ts";
import { contentProblems } from "./content-problems.ts";
import { environmentFileProblems } from "./environment-files.ts";
import { evaluatorFileProblems } from "./evaluator-files.ts";
import { folderVersion } from "./folder-version.ts";
import { type PublicFile, publicFiles } from "./public-files.ts";
import { sortByStart } from "./rounds.ts";
import { runFileProblems } from "./run-files.ts";
import { shapeProblems } from "./shape-problems.ts";

/** A challenge, loaded from its folder. */
export interface ChallengeFolder {
  dir: string;
  /** With all defaults filled in, and rounds in order of start. */
  config: ChallengeConfig;
  /** Changes whenever a file that affects grading changes. */
  version: string;
  /** The files in `public/`, by name. */
  data: PublicFile[];
}

export const CONFIG_FILE = "challenge.json";
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads and checks a challenge folder. Throws config_invalid with all of its problems at once. Of a
 * `publicPart`, which participants have, the evaluator and the private input of runs may be missing.
 */
export async function loadChallengeFolder(
  dir: string,
  { publicPart = false }: { publicPart?: boolean } = {},
): Promise<ChallengeFolder> {
  const [read, { files, problems: publicFileProblems }, { version, problems: versionProblems }] =
    await Promise.all([readConfig(dir), publicFiles(dir), folderVersion(dir)]);
  const fileProblems = [...publicFileProblems, ...versionProblems];
  if ("problem" in read) throw configInvalid(dir, [read.problem, ...fileProblems]);
  const parsed = challengeConfigSchema.safeParse(read.content);
  const content = read.content as { check?: unknown } | null;
  const loaded = await loadCheck(dir, content?.check);
  const problems = [
    ...(parsed.success ? [] : shapeProblems(parsed.error.issues, read.content)),
    ...contentProblems(read.content),
    ...(publicPart
      ? []
      : await evaluatorFileProblems(dir, (read.content as { evaluator?: unknown } | null)?.evaluator)),
    ...(await runFileProblems(dir, (read.content as { run?: unknown } | null)?.run)).filter(
      ({ field }) => !publicPart || field !== "run.input",
    ),
    ...(publicPart
      ? []
      : await environmentFileProblems(dir, (read.content as { environment?: unknown } | null)?.environment)),
    ...loaded.problems,
    ...fileProblems,
  ];
  if (!parsed.success || problems.length > 0) throw configInvalid(dir, problems);
  const config = withCodeImplied({
    ...parsed.data,
    check: loaded.check,
    rounds: sortByStart(parsed.data.rounds),
  });
  return { dir, config, version, data: files };
}

async function readConfig(dir: string): Promise<{ content: unknown } | { problem: ConfigProblem }> {
  const wrong = (field: string, expected: string, got?: string) => ({
    problem: { file: CONFIG_FILE, field, expected, ...(got === undefined ? {} : { got }) },
  });
  try {
    const path = join(dir, CONFIG_FILE);
    const found = await stat(path);
    if (!found.isFile()) return wrong("", "a file", "something else");
    if (found.size > MAX_BYTES) return wrong("", `at most ${MAX_BYTES} bytes`, `${found.size}`);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
    const content = parseJson(text, CONFIG_FILE);
    const [field, integer] = findLargeInteger(content) ?? [];
    if (field !== undefined) return wrong(field, "an integer below 2^53, or text", integer);
    return { content: withGymEvaluator(roundNumbers(content)) };
  } catch (thrown) {
    if (thrown instanceof TypeError) return wrong("", "UTF-8 text", "invalid bytes");
    if (!(thrown instanceof CrowdaiError)) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === undefined) throw asCrowdaiError(thrown);
      return wrong("", "a readable file", code === "ENOENT" ? "none" : code);
    }
    const { line, column, expected, got } = thrown.details ?? {};
    if (line === undefined) return wrong("", "JSON", thrown.message);
    const wanted = thrown.code === "value_not_finite" ? "a number that JSON can represent" : String(expected);
    return wrong(`line ${line}, column ${column}`, wanted, String(got));
  }
}

/**
 * Finds an integer that a JavaScript number would change, such as an id in a schema. Returns its field and
 * digits.
 */
function findLargeInteger(value: unknown, field = ""): [field: string, integer: string] | null {
  if (isExactNumber(value)) return /^-?\d+$/.test(value.text) ? [field, value.text] : null;
  if (typeof value !== "object" || value === null) return null;
  for (const [name, item] of Object.entries(value)) {
    const found = findLargeInteger(item, field === "" ? name : `${field}.${name}`);
    if (found) return found;
  }
  return null;
}
