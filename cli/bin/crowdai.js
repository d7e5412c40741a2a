#!/usr/bin/env node
// Plain JavaScript that any Node.js can read, so that one that is too old gets a sentence instead of a syntax error.
import { existsSync, readFileSync } from "node:fs";

const [major, minor] = process.versions.node.split(".").map(Number);
const help = readyHelp(process.argv.slice(2));
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`crowdai needs Node.js 20.19 or newer, or Bun 1.3 or newer; this is Node.js ${process.versions.node}.`);
  process.exitCode = 2;
} else if (help) {
  // The text as the build wrote it. Loading the commands to make it anew takes longer than Node.js takes to start.
  process.stdout.on("error", () => {});
  process.stdout.write(readFileSync(help));
} else {
  await import("../dist/bin.js");
}

/** The file with the answer to `--help`, `--version` or `<command> --help`, null for all else. */
function readyHelp(args) {
  const [name, flag] = args.length === 2 ? args : ["crowdai", args[0] ?? "--help"];
  const page = { "--help": name, "-h": name, "--version": "--version" }[flag];
  if (args.length > 2 || !page || !/^[a-z-]+$/.test(name)) return null;
  const file = new URL(`../dist/help/${page}.txt`, import.meta.url);
  return existsSync(file) ? file : null;
}
