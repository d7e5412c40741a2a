#!/usr/bin/env node
// Plain JavaScript that any Node.js can read, so that one that is too old gets a sentence instead of a syntax error.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 20 || (major === 20 && minor >= 19)) {
  await import("../dist/bin.js");
} else {
  console.error(
    `crowdai needs Node.js 20.19 or newer, or Bun 1.3 or newer; this is Node.js ${process.versions.node}.`,
  );
  process.exitCode = 2;
}
