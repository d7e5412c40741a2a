import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { quoted } from "../protocol/suggest.ts";
import type { ConfigProblem } from "./config-problems.ts";
import { environmentSchema, seedListSchema } from "./environment-config.ts";
import { overlap, type PathProblem, plainPath, unfitPath } from "./folder-paths.ts";

/**
 * Finds files and folders of `environment` that do not exist, lead out of the challenge folder, or would show
 * the seeds to participants. Skips an `environment` of the wrong form.
 */
export async function environmentFileProblems(dir: string, given: unknown): Promise<ConfigProblem[]> {
  const { data: environment } = environmentSchema.safeParse(given);
  if (!environment) return [];
  const { seeds, code } = environment;
  const problems: ConfigProblem[] = [];
  const check = (field: string, problem: PathProblem | null) => {
    if (problem) problems.push({ file: "challenge.json", field: `environment.${field}`, ...problem });
  };
  if ("file" in seeds) check("seeds.file", await seedsProblem(dir, seeds.file));
  const { packages, image } = code;
  const shown: [field: string, path: string | null, kind: "folder" | "file or folder"][] = [
    ["code.packages", packages, "folder"],
    ["code.image.path", image === "host" ? null : image.path, "file or folder"],
  ];
  for (const [field, path, kind] of shown) {
    if (path === null) continue;
    const hidesSeeds = "file" in seeds && overlap(plainPath(path), plainPath(seeds.file));
    const exposure = hidesSeeds
      ? { expected: `a place apart from seeds.file (${quoted(seeds.file)})`, got: quoted(path) }
      : null;
    check(field, (await unfitPath(dir, path, kind)) ?? exposure);
  }
  return problems;
}

async function seedsProblem(dir: string, path: string): Promise<PathProblem | null> {
  const unfit = await unfitPath(dir, path, "file");
  if (unfit) return unfit;
  if (overlap(plainPath(path), "public"))
    return { expected: "a place outside public/, which everyone can download", got: quoted(path) };
  const expected =
    "a file that contains a JSON array of whole numbers from 0 to 2147483647, such as [17, 42]";
  try {
    const read = seedListSchema.safeParse(JSON.parse(await readFile(join(dir, path), "utf8")));
    if (read.success) return null;
    const [issue] = read.error.issues;
    const at = issue!.path.length > 0 ? `item ${Number(issue!.path[0]) + 1}: ` : "";
    return { expected, got: `${quoted(path)} (${at}${issue!.message})` };
  } catch (error) {
    return { expected, got: `${quoted(path)} (${(error as Error).message})` };
  }
}
