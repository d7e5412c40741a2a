// Runs a TypeScript script of this folder with the Node.js that the project pins, installing packages first.
// Plain JavaScript, because on a fresh clone it runs on whatever Node.js (18 or newer) or Bun is there.
//
//   node scripts/run.mjs scripts/demo.ts --keep
//   node scripts/run.mjs --if-installed scripts/build.ts     does nothing where the development packages are missing
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "node_modules", ".bin");
const pinned = join(bin, "node");

const args = process.argv.slice(2);
if (args[0] === "--if-installed") {
  args.shift();
  if (!existsSync(join(root, "node_modules", "esbuild"))) {
    console.error(`crowdai: ${args[0]} left out, the development packages are not installed`);
    process.exit(0);
  }
} else if (!isInstalled()) {
  const status = await install();
  if (status !== 0) process.exit(status);
}
if (!existsSync(pinned) && !process.versions.bun && !process.features.typescript) {
  console.error(
    "node_modules holds no Node.js that runs TypeScript: run `npm ci` without --ignore-scripts, or use Bun.",
  );
  process.exit(2);
}
process.exit(await run(existsSync(pinned) ? pinned : process.execPath, args));

/** Whether the packages are there and no older than the lock file. */
function isInstalled() {
  const lock = modified(join(root, "package-lock.json"));
  // npm leaves the first of these, Bun (which reads npm's lock file once and then keeps its own) the second.
  return [join(root, "node_modules", ".package-lock.json"), join(root, "bun.lock")].some(
    (mark) => existsSync(bin) && modified(mark) >= lock,
  );
}

function modified(file) {
  return existsSync(file) ? statSync(file).mtimeMs : 0;
}

async function install() {
  console.error("Installing packages (npm ci) …");
  try {
    return await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  } catch (error) {
    if (error.code !== "ENOENT" || !process.versions.bun) throw error;
    console.error("There is no npm here: bun install …");
    return run(process.execPath, ["install"]);
  }
}

/** Runs a command in the root folder to its end. Resolves to its exit status. */
function run(command, commandArgs) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, commandArgs, {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, PATH: bin + delimiter + process.env.PATH },
    });
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the whole foreground group, so the child has it already.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, forward);
    const settle = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.on("error", (error) => {
      settle();
      reject(error);
    });
    child.on("exit", (code, signal) => {
      settle();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}
