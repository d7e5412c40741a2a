import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname, join, parse, resolve } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { homeFolder } from "./home-folder.ts";
import { PROJECT_FILE } from "./project-config.ts";

type Env = Readonly<Record<string, string | undefined>>;

const PACKAGE_FILES = ["package.json", "pyproject.toml"];

/** Returns the nearest folder, here or above, with a crowdai.json or a .git; null if there is none. */
export function findProject(folder: string): string | null {
  return nearest(folder, [PROJECT_FILE, ".git"]);
}

/**
 * Returns the project of a script: as findProject, else the nearest package.json or pyproject.toml, else its
 * folder.
 */
export function projectOfScript(script: string): string {
  const folder = dirname(realpathSync(script));
  return findProject(folder) ?? nearest(folder, PACKAGE_FILES) ?? folder;
}

/**
 * Returns the real path of a folder that the user named. Throws usage if it is not a folder, or is / or the
 * home folder.
 */
export function projectFolder(folder: string, cwd: string, env: Env): string {
  const path = resolve(cwd, folder);
  if (isUndecoded(path))
    throw new CrowdaiError("usage", `The path ${path} is not UTF-8, so no code can be taken from it.`, {
      next: "Rename the folder, or copy the project to a folder whose path is UTF-8.",
    });
  if (!isFolder(path))
    throw new CrowdaiError("usage", `${path} is not a folder, so no code can be taken from it.`, {
      next: "Give the folder of your project: `--code <dir>`.",
    });
  const real = realpathSync(path);
  const home = realOrNull(homeFolder(env));
  if (real === parse(real).root || (real === home && !existsSync(join(real, PROJECT_FILE))))
    throw new CrowdaiError(
      "usage",
      `${real} contains far more than one project; the client does not submit it.`,
      {
        next: "Give the folder of your project: `--code <dir>`.",
      },
    );
  return real;
}

/**
 * Whether a path has bytes that are not UTF-8, which the runtime has replaced, so that nothing is found
 * there.
 */
export const isUndecoded = (path: string): boolean => path.includes("\ufffd") && !existsSync(path);

function nearest(folder: string, names: readonly string[]): string | null {
  for (let here = resolve(folder); ; here = dirname(here)) {
    if (names.some((name) => existsSync(join(here, name)))) return here;
    if (here === dirname(here)) return null;
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function realOrNull(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
