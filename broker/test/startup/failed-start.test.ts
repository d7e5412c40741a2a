import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runCommand } from "../support/run-command.ts";
import { writeChallenge } from "../support/test-broker.ts";

const BROKER = fileURLToPath(new URL("../../dist/bin.js", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-failed-start-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Starts the built broker, and resolves when it ends by itself. */
function start(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [BROKER, "start", "--port", "0", ...args],
      { cwd: folder, timeout: 60_000, env: { ...process.env, LOG_LEVEL: "warn" } },
      (_error, _stdout, stderr) => resolve({ code: child.exitCode, stderr }),
    );
  });
}

it("a start that fails ends a broker with a grader, which releases everything that it opened", async () => {
  await writeChallenge(join(folder, "challenges"), {});
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, resolve));
  try {
    const { port } = taken.address() as { port: number };
    const { code, stderr } = await start("--with-grader", "--port", String(port));
    expect(code).not.toBe(0);
    // Anything that was left open would go on and log its failures.
    expect(stderr).toContain(String(port));
    expect(stderr.trim().split("\n").length).toBeLessThan(4);
    expect((await start("--with-grader", "--port", String(port))).code).toBe(code);
  } finally {
    taken.close();
  }
});

it("challenge check names a program that only other machines may have", async () => {
  for (const [evaluator, program] of [
    [{ command: ["no-such-program", "x"] }, "no-such-program"],
    [{ command: ["/no/such/program"] }, "/no/such/program"],
    [{ command: ["sh"] }, null],
  ] as const) {
    const dir = await writeChallenge(join(folder, "challenges"), { evaluator });
    const { code, stderr } = await runCommand(folder, ["challenge", "check", dir], {
      env: { PATH: process.env.PATH ?? "" },
    });
    expect([code, stderr]).toEqual([
      0,
      program === null ? "" : `note: this machine has no ${program}; every grader needs it.\n`,
    ]);
  }
});

it("challenge check says that a metric of Kaggle lacks pandas on this machine", async () => {
  const evaluator = { kaggle: "score.py:score", solution: "solution.csv", row_id: "id", python: "./python" };
  const dir = await writeChallenge(join(folder, "challenges"), {});
  for (const name of ["score.py", "solution.csv"]) await writeFile(join(dir, name), "");
  await writeChallenge(join(folder, "challenges"), { evaluator });
  for (const [code, note] of [
    [1, "note: the Python of this machine has no pandas; every grader needs it.\n"],
    [0, ""],
  ] as const) {
    await writeFile(join(dir, "python"), `#!/bin/sh\nexit ${code}\n`);
    await chmod(join(dir, "python"), 0o755);
    const env = { PATH: process.env.PATH ?? "" };
    expect((await runCommand(folder, ["challenge", "check", dir], { env })).stderr).toBe(note);
  }
});
