#!/usr/bin/env node
// Plain JavaScript that any Node.js can read, so that one that is too old gets a sentence instead of a syntax error.

// An import would evaluate all that node:fs exports, its promises among them, which takes longer than to print a page.
const fs = process.getBuiltinModule ? process.getBuiltinModule("node:fs") : null;

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  const found = process.versions.node;
  console.error(`crowdai needs Node.js 20.19 or newer, or Bun 1.3 or newer; this is Node.js ${found}.`);
  process.exitCode = 2;
} else {
  const help = readyHelp(process.argv.slice(2));
  if (help) print(help);
  else {
    reuseCompiledCode();
    await import("../dist/bin.js");
  }
}

/**
 * Has Node.js 22 and newer store compiled code in the user's cache folder, which halves the time that a command takes to load.
 * Code from a folder that another user can write to would run with this user's rights, so only the user's own folder counts.
 */
function reuseCompiledCode() {
  const { enableCompileCache } = process.getBuiltinModule ? process.getBuiltinModule("node:module") : {};
  if (process.versions.bun || !enableCompileCache || process.platform === "win32") return;
  const { HOME: home, XDG_CACHE_HOME: named } = process.env;
  const isNamed = named?.startsWith("/");
  const folder = `${isNamed ? named : `${home}/.cache`}/crowdai/compiled`;
  const isOwn = ({ uid, mode }) => uid === process.geteuid() && (mode & 0o022) === 0;
  try {
    // Not in the home folder that `sudo` leaves to root either.
    if (!isOwn(fs.statSync(isNamed ? named : home))) return;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (isOwn(fs.statSync(folder))) enableCompileCache(folder);
  } catch {
    // No home folder, or one that cannot be written to.
  }
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
    return fs.readFileSync(new URL(`../dist/help/${page}.txt`, import.meta.url));
  } catch {
    return null;
  }
}

/** Past process.stdout, which takes milliseconds to set up. */
function print(text) {
  let done = 0;
  try {
    while (done < text.length) done += fs.writeSync(1, text, done);
  } catch (error) {
    if (error.code === "EAGAIN") process.stdout.write(text.subarray(done));
    else if (error.code !== "EPIPE") {
      console.error(`error[file_unwritable]: Standard output cannot be written (${error.code}).`);
      process.exitCode = 2;
    }
  }
}
