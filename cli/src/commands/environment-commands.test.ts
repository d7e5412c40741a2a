import type { EnvironmentRecord, RunRecord, StageRecord } from "@crowdai/shared";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { missing } from "../../../test/required-programs.ts";
import { useBrokerAndFolder } from "../../test/broker-and-folder.ts";
import { ENVIRONMENT } from "../../test/contract-environment.ts";
import { startGitHost } from "../../test/git-host.ts";
import { makeProject, type Project } from "../../test/project.ts";
import { type Run, runCli } from "../../test/run-cli.ts";

const own = useBrokerAndFolder();
let project: Project;
beforeEach(() => {
  Object.assign(own.broker.challenge, {
    environment: ENVIRONMENT,
    accepts: { file: null, json: null, code: { max_bytes: 1_000_000 }, model: null },
    code: { capture: "off" },
    functions: ["submit", "replay"],
  });
  project = makeProject();
  project.write("agent.py", "print(1)\n");
  project.write("crowdai.json", JSON.stringify({ code: { command: ["python3", "agent.py"] } }));
});
afterEach(() => project[Symbol.asyncDispose]());

const crowdai = (...args: string[]): Promise<Run> =>
  runCli(args, {
    cwd: project.folder,
    env: {
      ...project.env,
      CROWDAI_BROKER: own.broker.url,
      CROWDAI_API_KEY: own.broker.key,
      CROWDAI_CHALLENGE: "iris",
    },
  });

const PLAYED: EnvironmentRecord = {
  agent: "remote",
  grader: "one",
  episodes: [
    { episode: 1, seed_sha256: "0".repeat(64), steps: 3, return: 1.5, ended: "terminated" },
    { episode: 2, seed_sha256: "1".repeat(64), steps: 1, return: 0.1 + 0.2, ended: "unfinished" },
  ],
  steps: 4,
  agent_ms: { p50: 1.25, p99: 8 },
  environment_ms: { p50: 0.5, p99: 2 },
  invalid_actions: 1,
  resumed: 1,
};

describe.skipIf(missing("git"))("crowdai submit --code to an environment", () => {
  it("sends the agent with its command, whatever the challenge says of code", async () => {
    await using host = await startGitHost();
    own.broker.code = ({ id }) => ({ url: host.url, ref: `refs/incoming/${id}`, have: false });
    expect(await crowdai("submit", "--code")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("Accuracy: 0.900"),
    });
    expect(own.broker.received.find(({ what }) => what === "submit")!.message).toMatchObject({
      input: { kind: "code", command: ["python3", "agent.py"] },
      code: { files: 2 },
    });
  });

  it("--dry-run shows what would play", async () => {
    const { stdout, code } = await crowdai("submit", "--code", "--dry-run");
    expect(stdout).toMatch(/Command: +python3 agent.py\n/);
    expect(stdout).toMatch(/Episodes: +2\n/);
    expect(stdout).toMatch(/Step: +1 s, and 60 s more in each episode\n/);
    expect(stdout).toMatch(/Box: +2048 MB of memory, 128 processes, 512 MB of files\n/);
    expect(stdout).toContain("the challenge takes agents as code");
    expect(code).toBe(0);
    const { plan } = JSON.parse((await crowdai("submit", "--code", "--dry-run", "--format", "json")).stdout);
    expect(plan).toMatchObject({ run: null, environment: { command: ["python3", "agent.py"], episodes: 2 } });
    expect(own.broker.kept.size).toBe(0);
  });

  it("is refused with what the challenge takes", async () => {
    const file = await crowdai("submit", "--json", "[1]");
    expect(file).toMatchObject({ code: 4, stderr: expect.stringContaining("`crowdai run <command>`") });
    own.broker.challenge.environment = { ...ENVIRONMENT, agents: ["remote"] };
    const code = await crowdai("submit", "--code");
    expect(code).toMatchObject({ code: 4, stderr: expect.stringContaining("`crowdai run <command>`") });
    expect(own.broker.kept.size).toBe(0);
  });
});

describe("what is shown of an environment", () => {
  it("names the agents, the episodes and the limits", async () => {
    const { stdout, stderr } = await crowdai("challenge");
    expect(stdout).toContain("Agents as code (crowdai submit --code), remote agents (crowdai run)");
    expect(stdout).toMatch(/Silence: +at most 300 s\n/);
    expect(stderr).toContain("next: crowdai run -- python3 agent.py");
  });

  it("tells how each episode ended", async () => {
    await play("session-1");
    const { stdout } = await crowdai("show", "session-1");
    expect(stdout).toMatch(/Input: +session of a remote agent\n/);
    expect(stdout).toMatch(/Episode 1: +return 1.5 in 3 steps, terminated\n/);
    expect(stdout).toMatch(/Episode 2: +return 0.3 in 1 step, not finished\n/);
    expect(stdout).toMatch(/Refused: +1 requests of the agent\n/);
    expect(stdout).not.toContain("SHA-256");
  });
});

it("crowdai logs prints what an agent wrote to stderr alone", async () => {
  await play("session-5");
  const stage: StageRecord = {
    ...{ stage: "play", cached: false, ended: "exit", exit_code: 0, wall_seconds: 1, cpu_seconds: 1 },
    ...{ peak_memory_bytes: 1, output_bytes: 0, stdout: "", stderr: "loading weights\n" },
  };
  const run: RunRecord = {
    ...{ sandbox: "box", kernel: "6.1", enforced: [], grader: "one", command: ["python3", "agent.py"] },
    ...{ image: "host", packages: null, tree: null, stages: [stage] },
  };
  own.broker.kept.get("session-5")!.submission.run = run;
  expect((await crowdai("logs", "session-5")).stdout).toBe("--- play, stderr\nloading weights\n");
});

describe("crowdai replay", () => {
  it("says that all was the same", async () => {
    await play("session-2");
    own.broker.grader = () => ({ score: 1.5 });
    const { code, stdout } = await crowdai("replay", "session-2");
    expect(stdout).toBe("Every observation and reward of session-2 was the same (4 steps).\n");
    expect(code).toBe(0);
    expect(own.broker.received.find(({ what }) => what === "call")!.message).toMatchObject({
      function: "replay",
      items: [{ data: { submission: "session-2" } }],
    });
  });

  it("fails where the environment or the score differs", async () => {
    await play("session-3");
    const error = { code: "env_not_repeatable" as const, message: "Step 3 of episode 1 differs." };
    own.broker.grader = () => ({ error });
    const differs = await crowdai("replay", "session-3", "--format", "json");
    expect(JSON.parse(differs.stdout)).toMatchObject({ same: false, error, exit_code: 6 });
    expect(differs.code).toBe(6);
    own.broker.grader = () => ({ score: 2 });
    expect(await crowdai("replay", "session-3")).toMatchObject({
      code: 6,
      stderr: expect.stringContaining("the score was 1.5 and is now 2"),
    });
  });

  it("refuses a submission of another kind", async () => {
    await play("session-4");
    own.broker.kept.get("session-4")!.submission.environment = null;
    expect(await crowdai("replay", "session-4")).toMatchObject({ code: 2 });
  });
});

/** Makes a session that has been graded. */
async function play(id: string): Promise<void> {
  const headers = { authorization: `Bearer ${own.broker.key}` };
  const body = JSON.stringify({ id, challenge: "iris" });
  await fetch(`${own.broker.url}/api/v1/sessions`, { method: "POST", headers, body });
  own.broker.finish(id, { state: "graded", score: 1.5, environment: PLAYED });
}
