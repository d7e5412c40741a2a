#!/usr/bin/env node
// Starts the program on a supported runtime: this one if it is new enough, else the Node.js of the npm package `node`.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const bundle = new URL("../dist/bin.js", import.meta.url);
const source = new URL("../src/bin.ts", import.meta.url);

if (process.versions.bun) await import((existsSync(bundle) ? bundle : source).href);
else if (isNewEnough(process.versions.node)) await import(bundle.href);
else {
  const node = newerNode();
  if (node) runWith(node);
  else {
    console.error(
      `crowdai-grader requires Bun 1.3 or newer, or Node.js 22.13 or newer. This is Node.js ${process.versions.node}.`,
    );
    process.exitCode = 2;
  }
}

function isNewEnough(version) {
  const [major, minor] = version.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 13);
}

function newerNode() {
  try {
    const require = createRequire(import.meta.url);
    const path = join(dirname(require.resolve("node/package.json")), "bin", "node");
    return isNewEnough(require("node/package.json").version) && existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

function runWith(node) {
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(node, args, { stdio: "inherit" });
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => child.kill(name));
  child.on("exit", (code, signal) => {
    if (!signal) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
