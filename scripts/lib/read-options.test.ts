import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { root } from "./root.ts";

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

function run(script: string, option: string): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, `scripts/${script}.ts`), option], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

it.each(["bench", "boxes", "chaos", "fuzz", "mutate", "power-cut", "release", "simulate", "soak"])(
  "npm run %s -- --help names the options",
  async (script) => {
    const { code, stdout, stderr } = await run(script, "--help");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(new RegExp(`^npm run ${script} -- \\[options\\]`));
  },
);

it.each(["bench", "boxes", "release", "simulate"])(
  "npm run %s says that there is no such option, and which there are",
  async (script) => {
    const { code, stderr } = await run(script, "--none");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Unknown option '--none'/);
    expect(stderr).toContain(`npm run ${script} -- [options]`);
    expect(stderr).not.toContain("    at ");
  },
);
