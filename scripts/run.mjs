// Runs a TypeScript script of this folder with the Node.js that the project pins, installing packages first.
// Plain JavaScript, because on a fresh clone it runs on whatever Node.js (18 or newer) or Bun is there.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [first, ...rest] = process.argv.slice(2);
const install = first !== "--no-install";
const args = install ? [first, ...rest] : rest;

const lock = join(root, "package-lock.json");
const installed = join(root, "node_modules", ".package-lock.json");
const bin = join(root, "node_modules", ".bin");
const upToDate = existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
if (install && !upToDate) {
  console.error("installing packages (npm ci) …");
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
}

const node = join(bin, "node");
const runtime = existsSync(node) ? node : process.execPath;
process.exitCode = run(runtime, args, { PATH: `${bin}:${process.env.PATH}` });

function run(command, commandArgs, env = {}) {
  const done = spawnSync(command, commandArgs, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (done.error) throw done.error;
  if (install && done.status !== 0 && command === "npm") process.exit(done.status ?? 1);
  return done.status ?? 1;
}
