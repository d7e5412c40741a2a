// `npm run release`: checks the packages and publishes them to the npm registry. Nothing is published unless
// every check passes.
//
//   npm run release -- --dry-run     only checks, and prints what would be published
//
// The executables, the install script and SHA256SUMS are written to release/, for the release at the code
// host.
import { execFile } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { readOptions } from "./lib/read-options.ts";
import { root } from "./lib/root.ts";
import { runCommand } from "./lib/run-command.ts";
import { buildExecutables } from "./release/executables/build-executables.ts";
import { TARGETS } from "./release/executables/targets.ts";
import { tryExecutable } from "./release/executables/try-executable.ts";
import { release } from "./release/release.ts";

const HELP = `npm run release -- [options]

  --dry-run  only checks, and prints what would be published
  --help`;

const { values } = readOptions(HELP, { options: { "dry-run": { type: "boolean", default: false } } });

const build = await runCommand(process.execPath, ["scripts/build.ts"]);
if (build.exitCode !== 0) process.exit(1);
const dist = join(root, "cli/dist");
const destination = join(root, "release");
rmSync(destination, { recursive: true, force: true });
const print = console.log;
const missing = await buildExecutables({ dist, destination, targets: TARGETS, bytecode: true, print });
copyFileSync(join(root, "scripts/install.sh"), join(destination, "install.sh"));
copyFileSync(join(dist, "THIRD-PARTY-NOTICES.txt"), join(destination, "THIRD-PARTY-NOTICES.txt"));
const problem = tryExecutable(destination, missing);
if (problem) print(`problem: ${problem}`);
if (problem || (missing.length > 0 && !values["dry-run"])) {
  print("Nothing was published.");
  process.exit(1);
}
process.exitCode = await release({
  root,
  dryRun: values["dry-run"],
  isPublished,
  publish: async (tarball) => {
    const { exitCode } = await runCommand("npm", ["publish", tarball, "--access", "public"]);
    if (exitCode !== 0) throw new Error(`npm publish ended with exit code ${exitCode}`);
  },
  print,
});

/** Asks with --json, because npm then reports an unknown package on standard output at every log level. */
async function isPublished(name: string, version: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)("npm", ["view", `${name}@${version}`, "version", "--json"]);
    return stdout.trim() !== "";
  } catch (error) {
    if (String((error as { stdout?: string }).stdout).includes("E404")) return false;
    throw error;
  }
}
