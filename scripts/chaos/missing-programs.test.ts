import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../lib/root.ts";
import { findProgram } from "../services/programs.ts";

it("`npm run chaos` names in one sentence what it cannot install", () => {
  const argv = [process.execPath, join(root, "scripts/chaos.ts"), "--no-s3"];
  // Root could install it.
  const setpriv = findProgram("setpriv");
  if (process.getuid?.() === 0 && setpriv) argv.unshift(setpriv, "--reuid=65534", "--clear-groups");
  const [program, ...args] = argv;
  const { status, stderr } = spawnSync(program!, args, { env: { PATH: "/nonexistent" }, encoding: "utf8" });
  expect([status, stderr.trim().split("\n")]).toEqual([
    2,
    [expect.stringMatching(/^Cannot run without .*python3.*\. On Debian, install with: apt-get install .+$/)],
  ]);
});
