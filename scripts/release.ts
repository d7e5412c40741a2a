// `npm run release`: checks the packages and publishes them to the npm registry. Nothing is published unless every check passes.
//
//   npm run release -- --dry-run     only checks, and prints what would be published
import { execFile } from "node:child_process";
import { parseArgs, promisify } from "node:util";
import { root } from "./lib/root.ts";
import { runCommand } from "./lib/run-command.ts";
import { release } from "./release/release.ts";

const { values } = parseArgs({ options: { "dry-run": { type: "boolean", default: false } } });

const build = await runCommand(process.execPath, ["scripts/build.ts"]);
if (build.exitCode !== 0) process.exit(1);
process.exitCode = await release({
  root,
  dryRun: values["dry-run"],
  isPublished,
  publish: async (tarball) => {
    const { exitCode } = await runCommand("npm", ["publish", tarball, "--access", "public"]);
    if (exitCode !== 0) throw new Error(`npm publish ended with exit code ${exitCode}`);
  },
  print: console.log,
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
