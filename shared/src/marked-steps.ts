import { readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";

/** Names the point at which this process is to end, while there is one. */
let crashFile: string | null = null;

/**
 * For tests: this process ends, as kill -9 ends it, at the point that the file names. The file is removed
 * first. A number behind the point is how many times it is passed before: the first report that is applied is
 * not the one with the grade.
 */
export function armCrashPoints(file: string | undefined): void {
  crashFile = file ?? null;
}

/**
 * Does a step after which other processes may rely on something: a commit, a publication, a claim, a report,
 * an acknowledgement, an upload. Its name lets tests end the process right before and right after it.
 */
export function markedStep<T>(name: string, work: () => Promise<T>): Promise<T> {
  return crashFile === null ? work() : betweenCrashPoints(name, work);
}

async function betweenCrashPoints<T>(name: string, work: () => Promise<T>): Promise<T> {
  crashIfArmed(`${name} before`);
  const value = await work();
  crashIfArmed(`${name} after`);
  return value;
}

function crashIfArmed(point: string): void {
  if (crashFile === null) return;
  try {
    const text = readFileSync(crashFile, "utf8");
    if (text !== point && !text.startsWith(`${point} `)) return;
    const passes = Number(text.slice(point.length));
    if (passes > 0) {
      const next = `${crashFile}.${process.pid}`;
      writeFileSync(next, `${point} ${passes - 1}`);
      renameSync(next, crashFile);
      return;
    }
    // One process of several: the one that removes it.
    unlinkSync(crashFile);
  } catch {
    return;
  }
  process.kill(process.pid, "SIGKILL");
}
