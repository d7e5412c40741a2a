import { appendFileSync } from "node:fs";
import { resolve } from "node:path";

/**
 * Returns a function that appends a line to the file of CROWDAI_EVENTS, readable only by its owner. It never
 * throws: `onFailure` gets the first failure, with the path.
 */
export function openEventsFile(
  path: string,
  cwd: string,
  onFailure: (path: string, reason: string) => void,
): (line: string) => void {
  const file = resolve(cwd, path);
  let failed = false;
  return (line) => {
    if (failed) return;
    try {
      // One write for each line: several commands may append to the same file.
      appendFileSync(file, `${line}\n`, { mode: 0o600 });
    } catch (failure) {
      failed = true;
      onFailure(file, (failure as NodeJS.ErrnoException).code ?? String(failure));
    }
  };
}
