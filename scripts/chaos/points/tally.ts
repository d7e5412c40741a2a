import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";

/** Reads how often each point was stopped by earlier commands. A file that is not there yet counts none. */
export function readTally(file: string | null): Map<string, number> {
  return file !== null && existsSync(file)
    ? new Map(Object.entries(JSON.parse(readFileSync(file, "utf8")) as Record<string, number>))
    : new Map();
}

/** Adds stops to the file. It is read again, because another command may have written it meanwhile. */
export function addToTally(file: string, stops: ReadonlyMap<string, number>): Map<string, number> {
  const tally = readTally(file);
  for (const [point, count] of stops) tally.set(point, (tally.get(point) ?? 0) + count);
  const sorted = [...tally].sort(([a], [b]) => a.localeCompare(b));
  writeFileSync(`${file}.new`, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`);
  renameSync(`${file}.new`, file);
  return tally;
}
