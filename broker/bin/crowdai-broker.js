#!/usr/bin/env node
// Starts dist/bin.js on a runtime that can run it: this one, or the newer Node.js installed beside the
// package.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(import.meta.url);
const [major, minor] = process.versions.node.split(".").map(Number);

if (process.versions.bun || major > 22 || (major === 22 && minor >= 13)) {
  if (existsSync(join(dirname(here), "../dist/bin.js"))) await import("../dist/bin.js");
  else stop("crowdai-broker is not built. Run `npm run build` in the workspace first.");
} else {
  const node = newerNode();
  if (node) rerun(node);
  else
    stop(
      `crowdai-broker needs Bun 1.3 or Node.js 22.13, or newer. This is Node.js ${process.versions.node}.`,
    );
}

function newerNode() {
  try {
    const node = join(dirname(createRequire(here).resolve("node/package.json")), "bin/node");
    return existsSync(node) ? node : null;
  } catch {
    return null;
  }
}

function rerun(node) {
  const child = spawn(node, [here, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both processes; a second signal would mean "stop at once".
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  child.on("error", (error) => stop(`crowdai-broker cannot start ${node}: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

function stop(sentence) {
  console.error(sentence);
  process.exitCode = 2;
}
