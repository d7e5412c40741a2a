import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { asCrowdaiError, CrowdaiError } from "../protocol/errors.ts";
import { parseJson } from "../protocol/json-value.ts";
import { type ChallengeConfig, challengeConfigSchema } from "./challenge-config.ts";
import { type ConfigProblem, configInvalid } from "./config-problems.ts";
import { contentProblems } from "./content-problems.ts";
import { evaluatorFileProblems } from "./evaluator-files.ts";
import { folderVersion } from "./folder-version.ts";
import { type PublicFile, publicFiles } from "./public-files.ts";
import { sortByStart } from "./rounds.ts";
import { shapeProblems } from "./shape-problems.ts";

/** A challenge as its folder describes it. */
export interface ChallengeFolder {
  dir: string;
  /** With every default filled in, and rounds in order of start. */
  config: ChallengeConfig;
  /** Changes whenever something that grades does. */
  version: string;
  /** What `public/` holds, by name. */
  data: PublicFile[];
}

export const CONFIG_FILE = "challenge.json";
const MAX_BYTES = 4 * 1024 * 1024;

/** Reads and checks a challenge folder. Throws config_invalid with all of its mistakes at once. */
export async function loadChallengeFolder(dir: string): Promise<ChallengeFolder> {
  const [read, { files, mistakes: publicFileProblems }, { version, mistakes: versionProblems }] =
    await Promise.all([readConfig(dir), publicFiles(dir), folderVersion(dir)]);
  const fileProblems = [...publicFileProblems, ...versionProblems];
  if ("mistake" in read) throw configInvalid(dir, [read.mistake, ...fileProblems]);
  const parsed = challengeConfigSchema.safeParse(read.content);
  const mistakes = [
    ...(parsed.success ? [] : shapeProblems(parsed.error.issues, read.content)),
    ...contentProblems(read.content),
    ...(await evaluatorFileProblems(dir, (read.content as { evaluator?: unknown } | null)?.evaluator)),
    ...fileProblems,
  ];
  if (!parsed.success || mistakes.length > 0) throw configInvalid(dir, mistakes);
  const config = { ...parsed.data, rounds: sortByStart(parsed.data.rounds) };
  return { dir, config, version, data: files };
}

async function readConfig(dir: string): Promise<{ content: unknown } | { mistake: ConfigProblem }> {
  const wrong = (field: string, expected: string, got?: string) => ({
    mistake: { file: CONFIG_FILE, field, expected, ...(got === undefined ? {} : { got }) },
  });
  try {
    const path = join(dir, CONFIG_FILE);
    const found = await stat(path);
    if (!found.isFile()) return wrong("", "a file", "something else");
    if (found.size > MAX_BYTES) return wrong("", `at most ${MAX_BYTES} bytes`, `${found.size}`);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
    return { content: parseJson(text, CONFIG_FILE) };
  } catch (thrown) {
    if (thrown instanceof TypeError) return wrong("", "UTF-8 text", "bytes that are none");
    if (!(thrown instanceof CrowdaiError)) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code === undefined) throw asCrowdaiError(thrown);
      return wrong("", "a file that can be read", code === "ENOENT" ? "none" : code);
    }
    const { line, column, expected, got } = thrown.details ?? {};
    if (line === undefined) return wrong("", "JSON", thrown.message);
    const wanted = thrown.code === "value_not_finite" ? "a number that JSON can carry" : String(expected);
    return wrong(`line ${line}, column ${column}`, wanted, String(got));
  }
}
