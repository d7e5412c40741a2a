import { lstat } from "node:fs/promises";
import { join, posix } from "node:path";
import { quoted } from "../protocol/suggest.ts";
import type { ConfigProblem } from "./config-problems.ts";
import type { RunConfig } from "./run-config.ts";

type Kind = "file" | "folder" | "file or folder";

/** Finds files and folders of `run` that do not exist, lead out of the challenge folder, or would be served to participants. */
export async function runFileProblems(dir: string, run: RunConfig | null): Promise<ConfigProblem[]> {
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
    const got = await unfit(dir, path, kind);
    if (got !== null)
      problems.push({ file: "challenge.json", field, expected: `a ${kind} of the challenge folder`, got });
    else if (field === "run.input" && posix.normalize(path).split("/")[0] === "public")
      problems.push({
        ...{ file: "challenge.json", field },
        expected: "a place outside public/, which everybody can download",
        got: quoted(path),
      });
  }
  if ("lines" in run.output && run.input === null)
    problems.push({
      file: "challenge.json",
      field: "run.input",
      expected: "a file of JSON lines",
      got: "none",
    });
  return problems;
}

async function unfit(dir: string, path: string, kind: Kind): Promise<string | null> {
  const inside = posix.normalize(path);
  if (posix.isAbsolute(inside) || inside.split("/")[0] === "..")
    return `${quoted(path)}, which leads out of it`;
  const found = await lstat(join(dir, inside)).catch(() => null);
  if (!found) return `${quoted(path)}, which does not exist`;
  if (found.isSymbolicLink()) return `${quoted(path)}, which is a link`;
  if (found.isDirectory() ? kind === "file" : !found.isFile() || kind === "folder")
    return `${quoted(path)}, which is ${found.isDirectory() ? "a folder" : "a file"}`;
  return null;
}
