import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Full path of a program, or null when it is not on the path. */
export function onPath(program: string, path: string = process.env.PATH ?? ""): string | null {
  return findAllOnPath(program, path).next().value ?? null;
}

/** Each program of that name on the path, first one first. */
export function* findAllOnPath(
  program: string,
  path: string = process.env.PATH ?? "",
): Generator<string, undefined> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const file = join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) yield file;
    } catch {
      // Not in this folder.
    }
  }
}

/**
 * For `describe.skipIf(missing("redis-server"))`: whether one of the programs that the tests need is not there. Says so loudly,
 * and throws where CI=true, because nothing else checks what CI leaves out.
 */
export function missing(...programs: string[]): boolean {
  const absent = programs.filter((program) => onPath(program) === null);
  if (absent.length === 0) return false;
  const reason = `there is no ${absent.join(" and no ")} on this machine`;
  if (process.env.CI === "true") throw new Error(`These tests must run in CI, and ${reason}.`);
  process.stderr.write(`SKIPPED (${reason})\n`);
  return true;
}
