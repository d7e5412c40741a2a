import type { Result } from "./result.ts";

/** The file in the working folder that a job names as `artifacts: reports: dotenv:`. */
export const DOTENV_FILE = "crowdai.env";

/** Returns the variables that later jobs get. None of their names is one that the client reads. */
export function dotenvLines(result: Result): string {
  const { exitCode, ...values } = result;
  return Object.entries({ ...values, exit_code: exitCode })
    .map(([name, value]) => `CROWDAI_RESULT_${name.toUpperCase()}=${oneLine(String(value ?? ""))}\n`)
    .join("");
}

/**
 * GitLab takes values as they are, up to the end of the line, and refuses a file with other characters than
 * ASCII.
 */
function oneLine(value: string): string {
  return value.replace(/[^\x20-\x7e]+/g, " ").slice(0, 500);
}
