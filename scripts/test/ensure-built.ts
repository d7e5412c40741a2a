// vitest's global setup: builds when what was built is older than its sources, so that a bare `vitest` tests
// what is there.
import { execFile } from "node:child_process";
import { glob, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "../lib/root.ts";

const BUILT = [
  "cli/dist/index.js",
  "cli/dist/index.d.ts",
  "broker/dist/bin.js",
  "broker/dist/index.d.ts",
  "grader/dist/bin.js",
  "grader/dist/index.d.ts",
];
const SOURCES = ["{cli,broker,grader,shared}/{src/**,package.json}", "scripts/build.ts", "scripts/build/**"];
/** Tests, and what Python compiles beside the sources. */
const NO_SOURCE = /\.test\.tsx?$|__pycache__/;

/** Returns whether a workspace has a source that is newer than something built from it. */
export async function isStale(folder: string): Promise<boolean> {
  const built = await Promise.all(BUILT.map((file) => modified(join(folder, file))));
  const sources: number[] = [];
  for await (const file of glob(SOURCES, { cwd: folder, exclude: (path) => NO_SOURCE.test(path) }))
    sources.push(await modified(join(folder, file)));
  return Math.min(...built) < Math.max(...sources);
}

export default async function setup(): Promise<void> {
  if (!(await isStale(root))) return;
  try {
    // With the pinned Node.js, whichever runtime the tests run under: a build depends on what its own runtime
    // has inside.
    await promisify(execFile)(process.execPath, ["scripts/run.mjs", "scripts/build.ts"], { cwd: root });
  } catch (error) {
    // Most tests need nothing built; `npm test` counts a broken build by itself.
    console.error(
      `The build is broken, so tests of the built commands try older ones or none.\n${(error as Error).message}`,
    );
  }
}

/** 0 when there is no such file. */
async function modified(file: string): Promise<number> {
  return stat(file).then(
    // A folder also changes when a file that Python compiled is put into it.
    (found) => (found.isFile() ? found.mtimeMs : 0),
    () => 0,
  );
}
