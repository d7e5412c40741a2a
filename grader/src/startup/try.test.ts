import { execFileSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { main } from "../main.ts";
import { openTestSandbox } from "../testing/boxes.ts";
import { makeChallenge, temporaryFolder } from "../testing/challenge.ts";
import { makeRunChallenge } from "../testing/run-challenge.ts";

const sandbox = await openTestSandbox();
afterAll(() => sandbox?.[Symbol.dispose]());

async function run(...args: string[]) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const { signal } = new AbortController();
  const code = await main({
    args: ["try", ...args],
    env: { PATH: process.env.PATH },
    stdout,
    stderr,
    signal,
  });
  stdout.end();
  stderr.end();
  return { code, stdout: await text(stdout), stderr: await text(stderr) };
}

async function makeProject(files: Record<string, string>): Promise<string> {
  const dir = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(dir, name, ".."), { recursive: true });
    await writeFile(join(dir, name), content);
  }
  return dir;
}

const PROGRAM = `import os
print("found", sorted(os.listdir()))
rows = open("/input/numbers.csv").read().split()
open("/out/predictions.csv", "w").write("".join(f"{int(n) * 2}\\n" for n in rows))`;

const examples = fileURLToPath(new URL("../../../examples", import.meta.url));

describe.runIf(sandbox)("crowdai-grader try", () => {
  it("lets an agent play the environment of the examples", async () => {
    const { code, stdout, stderr } = await run(
      join(examples, "challenges/cart-pole"),
      join(examples, "participant/agent-python"),
    );
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: "score 500\n" });
    expect(stderr).toMatch(/^Seeds: \d+, \d+, \d+$/m);
    expect(stderr).toContain("episode 3: 500 steps, return 500, truncated");
  });

  it("runs a project on this machine, and prints its stages, its output and the score", async () => {
    const challenge = await makeRunChallenge(
      { command: "submission", sample: "public/sample" },
      {},
      { id: "iris" },
    );
    const project = await makeProject({
      "crowdai.json": JSON.stringify({ code: { dir: "solution", command: ["python3", "program.py"] } }),
      "solution/program.py": PROGRAM,
      "solution/ignored.bin": "",
      "solution/.gitignore": "*.bin",
    });
    execFileSync("git", ["init", "-q", project]);
    const { code, stdout, stderr } = await run(challenge.dir, project);
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: "score 0.75\n" });
    expect(stderr).toContain(
      "Trying 2 files with iris, in the boxes of this machine.\nsample …\nrun …\nevaluate …\n",
    );
    expect(stderr).toMatch(/^run: exit code 0, [\d.]+ s, [\d.]+ s of processor time, \d+ MB$/m);
    expect(stderr.match(/found \['.gitignore', 'program.py'\]/g)).toHaveLength(2);
  });

  it("runs the private input wherever the challenge has it", async () => {
    const challenge = await makeRunChallenge(
      { input: "hidden", sample: "public/sample" },
      { "hidden/numbers.csv": "7\n", "evaluate.py": "exit(1)" },
    );
    await rm(join(challenge.dir, "private"), { recursive: true });
    const { stderr } = await run(challenge.dir, await makeProject({ "main.py": PROGRAM }));
    expect(stderr).toContain("sample …\nrun …\nevaluate …\n");
  });

  it("exits as a failed submission does, and prints JSON", async () => {
    const challenge = await makeRunChallenge();
    const project = await makeProject({ "main.py": "raise SystemExit(4)" });
    const { code, stdout } = await run(challenge.dir, project, "--format", "json");
    expect(code).toBe(6);
    expect(JSON.parse(stdout)).toMatchObject({
      schema_version: 1,
      outcome: { ok: false, code: "code_crashed", run: { stages: [{ exit_code: 4 }] } },
    });
  });

  it("runs the sample alone for a participant, who has the public part of a challenge", async () => {
    const challenge = await makeRunChallenge({ sample: "public/sample" });
    for (const name of ["private", "evaluate.py"]) await rm(join(challenge.dir, name), { recursive: true });
    const project = await makeProject({ "main.py": PROGRAM });
    const { code, stdout, stderr } = await run(challenge.dir, project);
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: "The code ran on the sample.\n" });
    expect(stderr).toContain(
      "The private input is not here: the code is run on the sample alone.\nsample …\n",
    );
    const wrong = await makeProject({ "main.py": "raise SystemExit(4)" });
    expect(await run(challenge.dir, wrong)).toMatchObject({
      code: 6,
      stdout: "error[sample_failed]: On the sample, the code exited with code 4.\n",
    });
  });

  it("refuses a challenge that runs no code, and a project that is not there", async () => {
    const other = await makeChallenge({ command: ["./evaluate.sh"] }, { "evaluate.sh": "" });
    expect(await run(other.dir, other.dir)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `The challenge iris does not run code: its challenge.json has neither "run" nor "environment".`,
      ),
    });
    const challenge = await makeRunChallenge();
    expect(await run(challenge.dir, "/no/such/project")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("/no/such/project is not a folder."),
    });
  });
});
