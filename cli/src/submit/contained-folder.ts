import { realpathSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { projectFolder } from "../config/find-project.ts";
import { shellWord } from "../terminal/shell-word.ts";

/**
 * Returns the real path of the `code.dir` of a crowdai.json. Throws config_invalid if it leads out of the
 * folder of that file, by `..`, as an absolute path or through a symbolic link: the file may be from someone
 * else.
 */
export function containedFolder(
  projectFile: string,
  dir: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const top = dirname(projectFile);
  const path = resolve(top, dir);
  const real = leadsOut(top, path) ? path : projectFolder(path, top, env);
  if (!leadsOut(realpathSync(top), real)) return real;
  throw new CrowdaiError(
    "config_invalid",
    `The code.dir of ${projectFile} leads out of its folder, to ${real}.`,
    {
      next: `To submit that folder, name it on the command line: --code ${shellWord(real)}`,
      details: { file: projectFile, field: "code.dir", folder: real },
    },
  );
}

function leadsOut(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way);
}
