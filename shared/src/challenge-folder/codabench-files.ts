import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { quoted } from "../protocol/suggest.ts";
import { readProgramMetadata } from "./codabench-metadata.ts";
import type { ConfigProblem } from "./config-problems.ts";
import { overlap, plainPath, unfitPath } from "./folder-paths.ts";

const FILE = "challenge.json";
const SCRIPTS = ["", ".py", ".sh", ".r", ".jl", ".pl", ".rb", ".js", ".mjs", ".lua", ".m", ".java"];
const MAX_SCRIPTS = 1000;
const MAX_SCRIPT_BYTES = 1024 * 1024;
/** A folder that only a box has. */
const FIXED_PATH = /\/app\/(?:input|output|program|ingestion_program|ingested_program|shared|data)\b/;

/** Finds what a scoring program of Codabench lacks, or what shows its reference data to participants. */
export async function codabenchProblems(dir: string, evaluator: object): Promise<ConfigProblem[]> {
  const { codabench, reference, sandbox } = evaluator as Record<string, unknown>;
  const problems: ConfigProblem[] = [];
  const found = (field: string, problem: Omit<ConfigProblem, "file" | "field">) =>
    void problems.push({ file: FILE, field: `evaluator.${field}`, ...problem });
  for (const [field, path] of references(reference)) {
    const problem =
      (await unfitPath(dir, path, "file or folder")) ??
      (overlap(plainPath(path), "public")
        ? { expected: "a place outside public/, which everyone can download", got: quoted(path) }
        : null);
    if (problem) found(field, problem);
  }
  if (typeof codabench !== "string" || codabench === "") return problems;
  const unfit = await unfitPath(dir, codabench, "folder");
  if (unfit) {
    found("codabench", unfit);
    return problems;
  }
  const program = join(dir, codabench);
  const metadata = readProgramMetadata(program);
  const expected = "a folder with a file metadata or metadata.yaml, which has a line such as";
  const example = quoted("command: python3 $program/score.py $input $output");
  if (metadata?.command == null) {
    const got = metadata ? `${quoted(metadata.name)} without a command` : "no such file";
    found("codabench", { expected: `${expected} ${example}`, got });
  }
  if (sandbox !== "bubblewrap") {
    const script = await scriptWithFixedPath(program);
    if (script !== null)
      found("sandbox", {
        expected: `"bubblewrap", because line ${script.line} of ${quoted(join(plainPath(codabench), script.name))} names ${script.path}, which exists only in a box; or a program that takes its folders from the command line`,
        got: typeof sandbox === "string" ? quoted(sandbox) : "none",
      });
  }
  return problems;
}

function references(reference: unknown): [field: string, path: string][] {
  if (typeof reference === "string" && reference !== "") return [["reference", reference]];
  if (typeof reference !== "object" || reference === null) return [];
  return Object.entries(reference).flatMap(([round, path]) =>
    typeof path === "string" && path !== "" ? [[`reference.${round}`, path] as [string, string]] : [],
  );
}

/** Finds the first script, by name, that names a folder of a box outside of a comment. */
export async function scriptWithFixedPath(
  program: string,
): Promise<{ name: string; line: number; path: string } | null> {
  const entries = await readdir(program, { recursive: true, withFileTypes: true }).catch(() => []);
  const scripts = entries
    .filter((entry) => entry.isFile() && SCRIPTS.includes(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name).slice(program.replace(/\/$/, "").length + 1))
    .filter((name) => name !== "metadata")
    .sort();
  for (const name of scripts.slice(0, MAX_SCRIPTS)) {
    const bytes = await readFile(join(program, name)).catch(() => null);
    if (!bytes || bytes.length > MAX_SCRIPT_BYTES || bytes.includes(0)) continue;
    const lines = bytes.toString("utf8").split("\n");
    const at = lines.findIndex((line) => FIXED_PATH.test(line) && !/^\s*(?:#|\/\/|\*)/.test(line));
    if (at >= 0) return { name, line: at + 1, path: FIXED_PATH.exec(lines[at]!)![0] };
  }
  return null;
}
