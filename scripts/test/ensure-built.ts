// vitest's global setup: builds when what was built is older than its sources, so that a bare `vitest` tests what is there.
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

export default async function setup(): Promise<void> {
  const built = await Promise.all(BUILT.map((file) => modified(join(root, file))));
  const sources: number[] = [];
  for await (const file of glob(SOURCES, { cwd: root, exclude: (path) => path.endsWith(".test.ts") }))
    sources.push(await modified(join(root, file)));
  if (Math.min(...built) >= Math.max(...sources)) return;
  try {
    await promisify(execFile)(process.execPath, [join(root, "scripts/build.ts")], { cwd: root });
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
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
