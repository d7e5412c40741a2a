import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
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

it("`npm run chaos` names a service that does not start, with its own words", () => {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-no-redis-"));
  writeFileSync(join(folder, "redis-server"), "#!/bin/sh\necho out of order >&2\nexit 1\n", { mode: 0o755 });
  const script = [join(root, "scripts/chaos.ts"), "--records", "sqlite", "--no-s3"];
  const env = { ...process.env, PATH: [folder, process.env.PATH].join(delimiter) };
  const { status, stderr } = spawnSync(process.execPath, script, { env, encoding: "utf8" });
  rmSync(folder, { recursive: true });
  expect([status, stderr.trim().split("\n")]).toEqual([
    2,
    ["Cannot run: redis did not start:", "out of order"],
  ]);
});
