import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../../scripts/lib/root.ts";
import { type RunningBroker, startBroker } from "../../scripts/lib/running-broker.ts";
import { missing } from "../required-programs.ts";

const examples = join(root, "examples");
const client = join(root, "cli/bin/crowdai.js");

/** CommonJS packages in an ESM bundle call `require`. */
const BUNDLED_REQUIRE =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** As graders need them for boxes. */
const hasBoxes = process.getuid?.() === 0 && !missing("bwrap", "git");
/** Programs in a box see the machine's own Node.js. */
const hasNode = ["/usr/bin/node", "/usr/local/bin/node"].some((path) => existsSync(path));

describe("the examples", () => {
  let folder: string;
  let project: string;
  let broker: RunningBroker;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-examples-"));
    project = join(folder, "project");
    mkdirSync(join(folder, "data"));
    cpSync(join(examples, "participant"), project, { recursive: true });
    mkdirSync(join(project, "node_modules"));
    symlinkSync(join(root, "cli"), join(project, "node_modules/crowdai"));
    broker = await startBroker({ data: join(folder, "data"), challenges: join(examples, "challenges") });
    env = {
      ...process.env,
      CI: "true",
      CROWDAI: `${process.execPath} ${client}`,
      CROWDAI_BROKER: broker.url,
      CROWDAI_API_KEY: await broker.addParticipant("ada"),
      CROWDAI_CONFIG_DIR: join(folder, "config"),
    };
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function run(command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Finished> {
    return new Promise((resolve) =>
      execFile(command, args, { cwd: project, env: { ...env, ...more } }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr }),
      ),
    );
  }
  const crowdai = (...args: string[]) => run(process.execPath, [client, ...args]);

  it("are all in the table of their README", () => {
    const readme = readFileSync(join(examples, "README.md"), "utf8");
    for (const kind of ["challenges", "participant"])
      for (const name of readdirSync(join(examples, kind))) expect(readme).toContain(`(${kind}/${name})`);
  });

  it("submit a plain file from a shell script", async () => {
    const done = await run("sh", ["plain-file.sh"]);
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(done.stderr).toMatch(/RMSE: \d+\.\d\d/);
    expect(done.stdout).toMatch(/^1\tada\t/m);
  });

  it("say which row of a CSV file is wrong", async () => {
    writeFileSync(join(project, "wrong.csv"), "id,price\nh29,cheap\n");
    const done = await crowdai("submit", "wrong.csv", "-c", "csv-scorer");
    expect(done).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(
        /row 2, column `price`: expected a number, got `cheap`[\s\S]*Nothing was sent/,
      ),
    });
  });

  it("are scored by a script of EvalAI", async () => {
    await crowdai("data", "from-evalai");
    const done = await crowdai("submit", "from-evalai/sample_submission.txt", "-c", "from-evalai");
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(done.stderr).toMatch(/F1: 0\.857/);
  });

  it("evaluate and submit from a program that uses the library", async () => {
    const done = await run(process.execPath, ["library.ts"]);
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(done.stdout).toMatch(/is three 3\? \{ three: true,? \}|is three 3\? \{\n {2}three: true,\n\}/);
    expect(done.stdout).toContain("score 0.6, rank 1: 6 of 10 words are right.");
    expect(done.stderr).toContain("grading");
  });

  it("submit rows from a worker thread, and from a notebook in Python", async () => {
    await crowdai("data", "csv-scorer");
    const worker = await run(process.execPath, ["worker.mjs"]);
    expect(worker, worker.stderr).toMatchObject({ code: 0 });
    expect(worker.stdout).toMatch(/^accepted \w+\nscore \d+\.\d\n$/);
    const notebook = await run("python3", ["notebook.py"]);
    expect(notebook, notebook.stderr).toMatchObject({ code: 0 });
    expect(notebook.stdout).toMatch(/^score \d+\.\d, rank 1\n$/);
  });

  it("run as one file that a bundler made", async () => {
    const outfile = join(project, "bundled.mjs");
    await build({
      entryPoints: [join(project, "library.ts")],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      external: ["keytar"],
      banner: { js: BUNDLED_REQUIRE },
    });
    rmSync(join(project, "node_modules/crowdai"));
    const done = await run(process.execPath, ["bundled.mjs"]).finally(() =>
      symlinkSync(join(root, "cli"), join(project, "node_modules/crowdai")),
    );
    expect(done, done.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining("score 0.6") });
  });

  it("fail a CI job whose score is too low, and keep the result", async () => {
    writeFileSync(join(project, "predictions.json"), JSON.stringify({ one: 1, two: 2, three: 3 }));
    const job = readFileSync(join(project, "ci-job.yml"), "utf8");
    expect(job).toContain("run: sh ci-job.sh");
    const low = await run("sh", ["ci-job.sh"]);
    expect(low, low.stderr).toMatchObject({ code: 7, stdout: "The score is below 0.5, see result.json.\n" });
    expect(JSON.parse(readFileSync(join(project, "result.json"), "utf8"))).toHaveProperty(
      "schema_version",
      1,
    );
    const enough = await run("sh", ["ci-job.sh"], { MIN_SCORE: "0.3" });
    expect(enough, enough.stderr).toMatchObject({ code: 0, stdout: "The score is at least 0.3.\n" });
  });

  it.skipIf(!hasBoxes)("run a participant's code on input that only the code sees", async () => {
    const cwd = join(project, "code-python");
    const done = await crowdai("submit", "--code", cwd, "-c", "iris-code", "--timeout", "120");
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(done.stderr).toContain("Accuracy: 0.980");
  });

  it.skipIf(!hasBoxes || !hasNode)("run code that answers one line at a time", async () => {
    const cwd = join(project, "code-javascript");
    const done = await crowdai("submit", "--code", cwd, "-c", "forecast-code", "--timeout", "120");
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(done.stderr).toContain("Mean absolute error: 0.793");
  });

  it.skipIf(!hasBoxes)("play an environment with the code of an agent, and return an animation", async () => {
    const cwd = join(project, "lander-agent");
    const done = await crowdai("submit", "--code", cwd, "-c", "lander", "--format", "json");
    expect(done, done.stderr).toMatchObject({ code: 0 });
    const { submission } = JSON.parse(done.stdout);
    // The seeds are drawn by each broker. The trained agent lands in all of them.
    expect(submission.score).toBeGreaterThan(80);
    expect(submission.environment).toMatchObject({ agent: "code", invalid_actions: 0 });
    expect(submission.artifacts).toMatchObject([{ name: "steps.ndjson.gz" }]);
    await expect
      .poll(
        () => crowdai("show", submission.id, "--format", "json").then(({ stdout }) => JSON.parse(stdout)),
        {
          timeout: 60_000,
        },
      )
      .toMatchObject({ submission: { media: { type: "image/gif" } } });
  });

  it.each([
    ["a Python agent", ["python3", "lander-agent/random_agent.py"]],
    ["an agent that uses the library", [process.execPath, "lander-agent.mjs"]],
  ])("play an environment from here with %s", async (_name, command) => {
    const done = await crowdai("run", "-c", "lander", "--", ...command);
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(done.stderr).toMatch(/Mean return: -?\d+\.\d/);
  });

  it("return an image that the broker shows with the submission", async () => {
    const done = await crowdai(
      "submit",
      "--json",
      JSON.stringify(Array(24).fill(10)),
      "-c",
      "media",
      "--format",
      "json",
    );
    expect(done, done.stderr).toMatchObject({ code: 0 });
    const { id } = JSON.parse(done.stdout).submission;
    await expect
      .poll(async () => JSON.parse((await crowdai("show", id, "--format", "json")).stdout).submission.media, {
        timeout: 20_000,
        interval: 300,
      })
      .toMatchObject({ large: expect.stringMatching(/^http/), type: "image/png" });
  });
});
