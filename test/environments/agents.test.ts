import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makeProject } from "../../cli/test/project.ts";
import { type Run, runCli } from "../../cli/test/run-cli.ts";
import { type RunningBroker, startBroker } from "../../scripts/lib/running-broker.ts";
import { missing } from "../required-programs.ts";

/** As graders need them for boxes. */
const hasBoxes = process.getuid?.() === 0 && !missing("bwrap", "git");
const root = join(import.meta.dirname, "../..");
const ACT = "observation[2] + observation[3] > 0 ? 1 : 0";
const AGENTS: Record<string, string> = {
  "serve.py": `
from crowdai_agent import serve
print("prints do no harm")
serve(lambda observation: 1 if observation[2] + observation[3] > 0 else 0)
`,
  "spaces.py": `
from crowdai_agent import AgentError, connect
env = connect()
print(env.action_space, env.episodes, env.hello["limits"]["steps"])
observation = env.reset()
try:
    env.step([1])
except AgentError as error:
    print("refused:", error)
while observation is not None:
    observation, reward, terminated, truncated, info = env.step(0)
    if terminated or truncated:
        observation = env.reset()
print("score", env.submit())
`,
  "agent.mjs": `
const { serve } = await import(process.env.CROWDAI_AGENT_DIR + "/crowdai-agent.js");
await serve((observation) => (${ACT}));
`,
  "library.mjs": `
import { Challenge } from ${JSON.stringify(pathToFileURL(join(root, "cli/dist/index.js")).href)};
await using challenge = await Challenge.open();
await using env = await challenge.environment();
for (let observation = await env.reset(); observation; observation = await env.reset())
  for (let done = false; !done; ) {
    ({ observation, done } = await env.step(${ACT}));
    await new Promise((wait) => setTimeout(wait, Number(process.argv[2] ?? 0)));
  }
console.log("grade", (await env.submit()).score);
`,
  "slow.py": `
import time
from crowdai_agent import serve
def act(observation):
    time.sleep(0.02)
    return 1 if observation[2] + observation[3] > 0 else 0
serve(act)
`,
  "early.py": `
from crowdai_agent import connect
env = connect()
env.reset()
env.step(0)
raise SystemExit(4)
`,
};

describe.skipIf(missing("python3"))("agents that crowdai run starts", () => {
  let broker: RunningBroker;
  let key: string;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "crowdai-agents-"));
    for (const name of ["data", "challenges", "agents"]) mkdirSync(join(folder, name));
    const source = join(root, "examples/challenges/cart-pole");
    cpSync(source, join(folder, "challenges/cart-pole"), { recursive: true });
    // Short episodes, of which no good agent misses a step.
    const config = JSON.parse(readFileSync(join(source, "challenge.json"), "utf8"));
    config.environment.limits.steps = 60;
    writeFileSync(join(folder, "challenges/cart-pole/challenge.json"), JSON.stringify(config));
    for (const [name, text] of Object.entries(AGENTS)) writeFileSync(join(folder, "agents", name), text);
    broker = await startBroker(folders());
    key = await broker.addParticipant("ada");
  });
  afterAll(async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const folders = () => ({ data: join(folder, "data"), challenges: join(folder, "challenges") });
  const crowdai = (...args: string[]): Promise<Run> =>
    runCli(args, {
      cwd: join(folder, "agents"),
      env: {
        PATH: process.env.PATH,
        CROWDAI_BROKER: broker.url,
        CROWDAI_API_KEY: key,
        CROWDAI_CHALLENGE: "cart-pole",
      },
    });
  const play = async (...command: string[]) => {
    const { code, stdout, stderr } = await crowdai("run", "--format", "json", "--", ...command);
    return { code, stderr, ...JSON.parse(stdout) };
  };

  let played: ReturnType<typeof play> | undefined;
  /** A whole session, to compare others with: all of a round play the same episodes. */
  const reference = () => {
    played ??= play("python3", "serve.py");
    return played;
  };

  it("reach the same score in each language, for the same actions", async () => {
    const python = await reference();
    expect(python, python.stderr).toMatchObject({ code: 0, state: "graded", score: expect.any(Number) });
    const module = await play(process.execPath, "agent.mjs");
    const library = await play(process.execPath, "library.mjs");
    expect(library, library.stderr).toMatchObject({ code: 0, score: python.score });
    expect(module, module.stderr).toMatchObject({ code: 0, score: python.score });
    expect(library.stderr).toContain(`grade ${python.score}`);
    expect(library.submission.environment).toMatchObject({ agent: "remote", episodes: { length: 3 } });
    const { code, stdout, stderr } = await crowdai("replay", python.id);
    expect(stdout, stderr).toContain(`Every observation and reward of ${python.id} was the same`);
    expect(code).toBe(0);
    expect((await crowdai("show", python.id)).stdout).toMatch(/Episode 3: +return /);
  });

  it.runIf(hasBoxes)("play the same way as code, in a box of the grader", async () => {
    await using project = makeProject();
    project.write("serve.py", AGENTS["serve.py"]!);
    project.write("crowdai.json", JSON.stringify({ code: { command: ["python3", "serve.py"] } }));
    const env = {
      ...project.env,
      CROWDAI_BROKER: broker.url,
      CROWDAI_API_KEY: key,
      CROWDAI_CHALLENGE: "cart-pole",
    };
    const { stdout, stderr } = await runCli(["submit", "--code", "--format", "json"], {
      cwd: project.folder,
      env,
    });
    const { id, score, submission } = JSON.parse(stdout);
    expect(score, stderr).toBe((await reference()).score);
    expect(submission.environment).toMatchObject({ agent: "code" });
    expect((await crowdai("logs", id)).stdout).toContain("--- play, stderr\nprints do no harm\n");
    expect((await crowdai("show", id)).stdout).toMatch(/Play: +exit code 0, /);
  });

  it("see the spaces, go on after a refused request, and learn their score", async () => {
    const { code, stderr, score, submission } = await play("python3", "spaces.py");
    expect(stderr).toContain("'name': 'Discrete', 'n': 2");
    expect(stderr).toContain("refused: ");
    expect(stderr).toContain(`score ${score}`);
    expect(submission.environment).toMatchObject({ invalid_actions: 1 });
    expect(code).toBe(0);
  });

  it("that exit early end with exit code 6, and the slot is charged", async () => {
    const { code, state, error, submission } = await play("python3", "early.py");
    expect(error.message).toContain("The agent exited with code 4 before it had played to the end");
    expect({ code, state, slot: submission.slot }).toEqual({ code: 6, state: "cancelled", slot: "charged" });
  });

  it.each([
    ["crowdai_agent.py", "python3", "slow.py"],
    ["the library", process.execPath, "library.mjs", "20"],
  ])("go on with %s when the broker and its grader are killed and started again", async (_, ...command) => {
    const whole = await reference();
    const port = Number(new URL(broker.url).port);
    const earlier = await latest();
    const playing = play(...command);
    await vi.waitFor(async () => expect(await isPlaying(earlier)).toBe(true), { timeout: 20_000 });
    broker.process.kill("SIGKILL");
    await broker.stop();
    broker = await startBroker({ ...folders(), port });
    const { code, stderr, score, submission } = await playing;
    expect({ code, score }, stderr).toEqual({ code: 0, score: whole.score });
    expect(submission).toMatchObject({ environment: { resumed: 1 } });
  });

  const latest = async () => (await crowdai("submissions", "--quiet", "--limit", "1")).stdout.trim();
  /** Whether a session after another one has reported steps. */
  async function isPlaying(earlier: string): Promise<boolean> {
    const id = await latest();
    return id !== earlier && (await crowdai("logs", id)).stdout.includes("Episode 1 of 3, step ");
  }
});
