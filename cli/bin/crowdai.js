#!/usr/bin/env node
// Plain JavaScript that any Node.js can read, so that one that is too old gets a sentence instead of a syntax error.
import { readFileSync, writeSync } from "node:fs";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  const found = process.versions.node;
  console.error(`crowdai needs Node.js 20.19 or newer, or Bun 1.3 or newer; this is Node.js ${found}.`);
  process.exitCode = 2;
} else {
  const help = readyHelp(process.argv.slice(2));
  if (help) print(help);
  else await import("../dist/bin.js");
}

/**
 * The answer to `--help`, `--version` or `<command> --help` as the build wrote it, null for all else. Loading the
 * commands to make it again takes longer than Node.js takes to start.
 */
function readyHelp(args) {
  const [name, flag] = args.length === 2 ? args : ["crowdai", args.length === 0 ? "--help" : args[0]];
  const page = flag === "--version" ? flag : flag === "--help" || flag === "-h" ? name : null;
  if (args.length > 2 || !page || !/^[a-z]+$/.test(name)) return null;
  try {
    return readFileSync(new URL(`../dist/help/${page}.txt`, import.meta.url));
  } catch {
    return null;
  }
}

/** Past process.stdout, which takes milliseconds to set up. */
function print(text) {
  let done = 0;
  try {
    while (done < text.length) done += writeSync(1, text, done);
  } catch (error) {
    if (error.code === "EAGAIN") process.stdout.write(text.subarray(done));
    else if (error.code !== "EPIPE") {
      console.error(`error[file_unwritable]: Standard output cannot be written (${error.code}).`);
      process.exitCode = 2;
    }
  }
}
