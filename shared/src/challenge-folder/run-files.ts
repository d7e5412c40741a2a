import { lstat } from "node:fs/promises";
import { join, posix } from "node:path";
import { quoted } from "../protocol/suggest.ts";
import type { ConfigProblem } from "./config-problems.ts";
import { type RunConfig, runSchema } from "./run-config.ts";

type Kind = "file" | "folder" | "file or folder";
type Problem = Omit<ConfigProblem, "file" | "field">;

/**
 * Finds files and folders of `run` that do not exist, lead out of the challenge folder, or would show the private input to
 * participants. Skips a `run` of the wrong form.
 */
export async function runFileProblems(dir: string, given: unknown): Promise<ConfigProblem[]> {
  const { data: run } = runSchema.safeParse(given);
  if (!run) return [];
  const data: Kind = "lines" in run.output ? "file" : "folder";
  const named: [field: string, path: string | null, kind: Kind][] = [
    ["run.input", run.input, data],
    ["run.sample", run.sample, data],
    ["run.packages", run.packages, "folder"],
    ["run.image.path", run.image === "host" ? null : run.image.path, "file or folder"],
  ];
  const problems: ConfigProblem[] = [];
  for (const [field, path, kind] of named) {
    if (path === null) continue;
    const problem = (await unfit(dir, path, kind)) ?? exposure(field, path, run);
    if (problem) problems.push({ file: "challenge.json", field, ...problem });
  }
  if ("lines" in run.output && run.input === null)
    problems.push({
      ...{ file: "challenge.json", field: "run.input" },
      ...{ expected: "a file of JSON lines, which output.lines answers", got: "none" },
    });
  return problems;
}

async function unfit(dir: string, path: string, kind: Kind): Promise<Problem | null> {
  const wrong = (reason: string) => ({
    expected: `a ${kind} of the challenge folder`,
    got: `${quoted(path)}, which ${reason}`,
  });
  const inside = plain(path);
  if (posix.isAbsolute(inside) || inside.split("/")[0] === "..") return wrong("leads out of it");
  if (inside === ".") return wrong("is the challenge folder itself");
  const found = await lstat(join(dir, inside)).catch(() => null);
  if (!found) return wrong("does not exist");
  if (found.isSymbolicLink()) return wrong("is a link");
  if (found.isDirectory() ? kind === "file" : !found.isFile() || kind === "folder")
    return wrong(`is ${found.isDirectory() ? "a folder" : "a file"}`);
  return null;
}

/** The private input is in the box of its own stage alone: not in public/, and not with the sample, which has full logs. */
function exposure(field: string, path: string, { input }: RunConfig): Problem | null {
  if (input === null) return null;
  if (field !== "run.input") {
    if (!overlap(plain(path), plain(input))) return null;
    return { expected: `a place apart from run.input (${quoted(input)})`, got: quoted(path) };
  }
  if (!overlap(plain(path), "public")) return null;
  return { expected: "a place outside public/, which everybody can download", got: quoted(path) };
}

const plain = (path: string) => posix.normalize(path).replace(/\/$/, "");

/** Whether one path is the other, or contains it. */
const overlap = (a: string, b: string) => `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
