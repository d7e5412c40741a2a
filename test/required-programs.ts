import { findProgram } from "../scripts/services/programs.ts";

/**
 * For `describe.skipIf(missing("redis-server"))`: returns whether a program that the tests need is missing.
 * Prints which one, and throws where CI=true, because nothing else checks what CI leaves out.
 */
export function missing(...programs: string[]): boolean {
  const absent = programs.filter((program) => findProgram(program) === null);
  if (absent.length === 0) return false;
  const reason = `there is no ${absent.join(" and no ")} on this machine`;
  if (process.env.CI === "true") throw new Error(`These tests must run in CI, and ${reason}.`);
  process.stderr.write(`SKIPPED (${reason})\n`);
  return true;
}
