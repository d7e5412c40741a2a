import { existsSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, parse, resolve } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { PROJECT_FILE } from "./project-config.ts";

type Env = Readonly<Record<string, string | undefined>>;

const PACKAGE_FILES = ["package.json", "pyproject.toml"];

/** The project that a folder belongs to: the nearest one with a crowdai.json or a .git, in it or above; null when there is none. */
export function findProject(folder: string): string | null {
  return nearest(folder, [PROJECT_FILE, ".git"]);
}

/** The project that holds a script: as above, else the nearest package.json or pyproject.toml, else the script's folder. */
export function projectOfScript(script: string): string {
  const folder = dirname(realpathSync(script));
  return findProject(folder) ?? nearest(folder, PACKAGE_FILES) ?? folder;
}

/** A folder that was named. Throws usage when it is none, or is so wide that nobody can mean it. */
export function projectFolder(folder: string, cwd: string, env: Env): string {
  const path = resolve(cwd, folder);
  if (!isFolder(path))
    throw new CrowdaiError("usage", `There is no folder ${path} to take code from.`, {
      next: "Name the project's folder: `--code <dir>`.",
    });
  const real = realpathSync(path);
  const home = realOrNull(env.HOME || env.USERPROFILE || homedir());
  if (real === parse(real).root || (real === home && !existsSync(join(real, PROJECT_FILE))))
    throw new CrowdaiError("usage", `${real} holds far more than a project; its files are not taken.`, {
      next: "Name the project's folder: `--code <dir>`.",
    });
  return real;
}

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
