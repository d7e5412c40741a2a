import { CrowdaiError, type PublicChallenge, type RunRecord } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { startContractBroker } from "../../test/contract-broker.ts";
import type { ContractBroker } from "../../test/contract-types.ts";
import { type GitHost, startGitHost } from "../../test/git-host.ts";
import { makeProject, type Project } from "../../test/project.ts";
import { jsonLines, runCli } from "../../test/run-cli.ts";

const RUN: NonNullable<PublicChallenge["run"]> = {
  command: null,
  image: "host",
  build: false,
  sample: true,
  output: "predictions.csv",
  limits: { wall_seconds: 60, cpu_seconds: null, memory_mb: 512, processes: 16, scratch_mb: 64 },
  logs: "sample",
};
const RECORD: RunRecord = {
  sandbox: "bubblewrap 0.8.0",
  kernel: "6.1",
  enforced: ["memory"],
  grader: "one",
  command: ["python3", "main.py"],
  image: "host",
  packages: null,
  tree: null,
  stages: [
    {
      stage: "sample",
      cached: false,
      ended: "exit",
      exit_code: 1,
      wall_seconds: 1.2,
      cpu_seconds: 1,
      peak_memory_bytes: 30_000_000,
      output_bytes: 0,
      stdout: "reading\n",
      stderr: "Traceback (most recent call last):\nValueError: no such column\n",
    },
  ],
};

let broker: ContractBroker;
let host: GitHost;
let project: Project;
beforeEach(async () => {
  [broker, host] = await Promise.all([
    startContractBroker({
      code: { capture: "required" },
      accepts: { file: null, json: null, code: { max_bytes: 1_000_000 }, model: null },
      run: RUN,
    }),
    startGitHost(),
  ]);
  broker.code = ({ id }) => ({ url: host.url, ref: `refs/incoming/${id}`, have: false });
  project = makeProject();
  project.write("main.py", "print(1)\n");
  project.write("crowdai.json", JSON.stringify({ code: { command: ["python3", "main.py"] } }));
});
afterEach(async () => {
  await Promise.all([broker.close(), host[Symbol.asyncDispose](), project[Symbol.asyncDispose]()]);
});

const crowdai = (args: string[]) =>
  runCli(args, {
    cwd: project.folder,
    env: {
      ...project.env,
      CROWDAI_BROKER: broker.url,
      CROWDAI_API_KEY: broker.key,
      CROWDAI_CHALLENGE: "iris",
    },
  });
const intents = () => broker.received.filter(({ what }) => what === "submit").map(({ message }) => message);

describe.skipIf(missing("git"))("crowdai submit to a challenge that runs code", () => {
  it("submits the code alone, with the command of crowdai.json", async () => {
    for (const flags of [["--code"], []]) {
      const done = await crowdai(["submit", ...flags]);
      expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining("Accuracy: 0.900") });
    }
    expect(intents()).toHaveLength(2);
    expect(intents()[0]).toMatchObject({
      input: { kind: "code", command: ["python3", "main.py"] },
      code: { files: 2 },
    });
  });

  it("takes the command from the crowdai.json of a folder that --code names", async () => {
    project.write("other/crowdai.json", JSON.stringify({ code: { command: ["sh", "run.sh"] } }));
    project.write("other/run.sh", "true\n");
    expect(await crowdai(["submit", "--code", "other"])).toMatchObject({ code: 0 });
    expect(intents()[0]).toMatchObject({ input: { command: ["sh", "run.sh"] }, code: { files: 2 } });
  });

  it("leaves out the command that the challenge names itself", async () => {
    broker.challenge.run = { ...RUN, command: ["python3", "predict.py"] };
    expect(await crowdai(["submit"])).toMatchObject({ code: 0 });
    expect(intents()[0]).toMatchObject({ input: { kind: "code", command: null } });
  });

  it("asks for a command before anything is sent", async () => {
    project.write("crowdai.json", "{}");
    const done = await crowdai(["submit", "--code"]);
    expect(done).toMatchObject({ code: 6, stdout: "" });
    expect(done.stderr).toContain("iris needs to know how your code is run.");
    expect(done.stderr).toContain('"command": ["python3", "main.py"]');
    expect(intents()).toEqual([]);
  });

  it("refuses a file, a value and a submission without code", async () => {
    project.write("predictions.csv", "1\n");
    for (const input of [["predictions.csv"], ["--json", "1"], ["predictions.csv", "--code"]]) {
      const done = await crowdai(["submit", ...input]);
      expect(done).toMatchObject({ code: 4, stdout: "" });
      expect(done.stderr).toContain("iris runs your code. It accepts no files and no values.");
      expect(done.stderr).toContain("crowdai submit --code");
    }
    expect((await crowdai(["submit", "--no-code"])).stderr).toContain("Missing input.");
    expect(intents()).toEqual([]);
  });

  it("says what a challenge that runs no code is missing", async () => {
    broker.challenge.run = null;
    const done = await crowdai(["submit", "--code"]);
    expect(done).toMatchObject({ code: 2 });
    expect(done.stderr).toContain("Missing input.");
  });

  it("shows with --dry-run what would be run", async () => {
    const done = await crowdai(["submit", "--dry-run"]);
    expect(done.code).toBe(0);
    for (const line of ["Dry run. Nothing was sent.", "python3 main.py", "sample, private input, evaluator"])
      expect(done.stdout).toContain(line);
    const { plan } = JSON.parse((await crowdai(["submit", "--dry-run", "--format", "json"])).stdout);
    expect(plan).toMatchObject({
      input: { kind: "code", way: "push", sha256: expect.stringMatching(/^[0-9a-f]{40}$/) },
      run: { command: ["python3", "main.py"], limits: { memory_mb: 512 } },
      code: { files: [{ path: "crowdai.json" }, { path: "main.py" }] },
    });
    expect(intents()).toEqual([]);
  });

  it("shows the last lines of code that failed on the sample, how it was run, and what it printed", async () => {
    broker.grader = null;
    const going = crowdai(["submit", "--format", "text"]);
    await expect.poll(() => broker.kept.size, { timeout: 60_000 }).toBe(1);
    const [id] = [...broker.kept.keys()];
    const error = new CrowdaiError("sample_failed", "The code failed on the sample: exit code 1.").toBody();
    broker.finish(id!, { state: "failed", error, slot: "returned", run: RECORD });
    const done = await going;
    expect(done.code).toBe(6);
    expect(done.stderr).toContain("ValueError: no such column");
    expect(done.stderr).toContain("Your slot was returned.");

    const shown = await crowdai(["show", id!]);
    expect(shown.stdout).toContain("exit code 1, 1.2 s, 30 MB of memory");
    const logs = await crowdai(["logs", id!]);
    expect(logs.stdout).toBe(
      "--- sample, stdout\nreading\n--- sample, stderr\nTraceback (most recent call last):\nValueError: no such column\n",
    );
    const lines = jsonLines((await crowdai(["logs", id!, "--format", "ndjson"])).stdout);
    expect(lines).toMatchObject([{ type: "stage", stage: RECORD.stages[0] }]);
  });

  it("describes how the code is run", async () => {
    const { stdout, stderr } = await crowdai(["challenge"]);
    expect(stdout).toContain("Code, which is run on private input, up to 1 MB");
    expect(stdout).toContain("60 s, 512 MB of memory, 16 processes, 64 MB of files");
    expect(stderr).toContain("crowdai submit --code");
  });
});
