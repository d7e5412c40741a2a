import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "../scripts/lib/root.ts";

it.skipIf(!existsSync("/dev/full")).each(["broker", "grader"])(
  "the command of the %s reports a standard output that cannot be written as one error",
  (name) => {
    const full = openSync("/dev/full", "w");
    const program = join(root, name, "src/bin.ts");
    const ran = spawnSync(process.execPath, [program, "--help"], {
      stdio: ["ignore", full, "pipe"],
      encoding: "utf8",
    });
    closeSync(full);
    expect(ran.stderr).toMatch(/^error\[file_unwritable\]: .*ENOSPC.*\n {2}Check the free disk space\..*\n$/);
    expect(ran.status).toBe(2);
  },
);
