import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { makeEnvironmentChallenge, WALK } from "../testing/environments.ts";
import { openCodeTests, type SubmitCode } from "../testing/submit-code.ts";

const tests = await openCodeTests();
afterAll(() => tests?.close());
const submit: SubmitCode = (challenge, files, options) =>
  tests!.submit(challenge, files, { seeds: [1, 2, 3], ...options });

const RIGHT = `from crowdai_agent import serve
print("hello")
serve(lambda observation: 1)
`;

const RIGHT_JS = `const { connect } = await import(process.env.CROWDAI_AGENT_DIR + "/crowdai-agent.js");
console.log("hello");
const env = connect();
const { episodes, spaces } = await env.hello();
for (let i = 0; i < episodes; i++) {
  await env.reset();
  for (let over = false; !over; ) over = (await env.step(spaces.action.n - 1)).terminated;
}
if ((await env.reset()) !== null) throw new Error("an episode too many");
await env.submit();
`;

async function stepsOf(outcome: { artifacts?: { key: string }[] | null }): Promise<unknown[]> {
  const bytes = await buffer(await tests!.objects.get(outcome.artifacts![0]!.key));
  return gunzipSync(bytes)
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe.runIf(tests)("code of an agent", () => {
  it("plays a Gymnasium environment, which is not changed", async () => {
    const { outcome, log, reports } = await submit(await makeEnvironmentChallenge(), { "main.py": RIGHT });
    expect(outcome, log).toMatchObject({
      ok: true,
      environment: { agent: "code", invalid_actions: 0, resumed: 0 },
      run: { stages: [{ stage: "play", ended: "exit", exit_code: 0, stderr: "hello\n" }] },
      artifacts: [{ name: "steps.ndjson.gz" }],
    });
    const { environment, score } = outcome as Extract<typeof outcome, { ok: true }>;
    const { episodes, steps } = environment!;
    expect(episodes.map(({ ended }) => ended)).toEqual(["terminated", "terminated", "terminated"]);
    expect(score).toBe(episodes.reduce((sum, one) => sum + one.return, 0) / 3);
    const [header, ...entries] = await stepsOf(outcome);
    expect(header).toMatchObject({
      ...{ protocol: 1, episodes: 3 },
      spaces: { action: { name: "Discrete", n: 2 }, observation: { low: [-1e100, -1e100], high: [5, 5] } },
    });
    expect(entries).toHaveLength(3 + steps);
    expect(entries[1]).toMatchObject({ type: "step", episode: 1, n: 1, action: 1, terminated: false });
    expect(log).toContain("reset with True");
    expect(reports.filter((report) => report.type === "progress")[0]).toMatchObject({ stage: "play" });
  });

  it("may be JavaScript, and the environment a program", async () => {
    const challenge = await makeEnvironmentChallenge({
      evaluator: { command: ["node", "env.mjs"], mode: "environment" },
      environment: { code: { command: ["node", "main.mjs"], limits: { memory_mb: 512 } } },
    });
    const { outcome, log } = await submit(challenge, { "main.mjs": RIGHT_JS });
    // From 0, 1 and -1: 1+2+3, 2+3, 0+1+2+3.
    expect(outcome, log).toMatchObject({ ok: true, score: (6 + 5 + 6) / 3 });
  });
});

/** A JSON line on stdout for each, and nothing is read. */
const say = (...lines: string[]) => `import sys, time, os
${lines.join("\n")}
`;
const send = (text: string) => `os.write(1, ${JSON.stringify(`${text}\n`)}.encode())`;
const RESET = send('{"type":"reset"}');

describe.runIf(tests)("code of an agent that does not play to the end", () => {
  it.each<[string, string, object, object]>([
    [
      "prints rubbish",
      say(...Array(10).fill("print('rubbish', flush=True)"), "time.sleep(60)"),
      {},
      {
        ...{ code: "agent_protocol", charge: false },
        message:
          "The agent sent 10 invalid requests (before the first episode). The last one: the line is not JSON: rubbish (print to stderr instead).",
      },
    ],
    [
      "sends a line that is too long",
      say(RESET, "time.sleep(0.5)", "os.write(1, b'{')", "while True: os.write(1, b'x' * 65536)"),
      {},
      {
        ...{ code: "agent_protocol", charge: true },
        message: "The agent sent a line of more than 1000000 bytes (episode 1, step 0).",
      },
    ],
    [
      "exits in an episode",
      say(RESET, "time.sleep(0.3)", "sys.exit(0)"),
      {},
      {
        ...{ code: "agent_protocol", charge: true },
        message:
          "The agent exited when 0 of 3 episodes are finished, and episode 1 is not over (episode 1, step 0).",
      },
    ],
    [
      "crashes",
      say("raise ValueError('wrong weights')"),
      {},
      {
        ...{ code: "code_crashed", charge: false },
        message: "The agent exited with code 1 (before the first episode): ValueError: wrong weights",
      },
    ],
    [
      "thinks too long",
      say(RESET, "time.sleep(60)"),
      { step_seconds: 0.2, bank_seconds: 0.1 },
      {
        ...{ code: "agent_timeout", charge: true },
        message:
          "The agent took too long (episode 1, step 0): it may take 0.2 s for a step, and its bank of 0.1 s is used up.",
      },
    ],
    ["never begins", say("time.sleep(60)"), { idle_seconds: 0.2 }, { code: "agent_timeout", charge: false }],
    [
      "does not wait for answers",
      say(RESET, `for _ in range(5000): ${send('{"type":"step","action":0}')}`, "time.sleep(60)"),
      { env_step_seconds: 10 },
      { code: "agent_protocol" },
    ],
    [
      "uses too much memory",
      say("x = [bytearray(2**20) for _ in range(1000)]", "time.sleep(60)"),
      {},
      { code: "code_memory", charge: false },
    ],
  ])("is stopped when it %s", async (_, program, limits, expected) => {
    const challenge = await makeEnvironmentChallenge({
      environment: { limits, code: { limits: { memory_mb: 64 } } },
    });
    const began = performance.now();
    const { outcome, log } = await submit(challenge, { "main.py": program });
    expect(outcome, log).toMatchObject({ ok: false, ...expected });
    expect(outcome.artifacts).toMatchObject([{ name: "steps.ndjson.gz" }]);
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it("costs no slot when it cannot be started", async () => {
    const { outcome } = await submit(await makeEnvironmentChallenge(), { "other.py": "" });
    expect(outcome).toMatchObject({ ok: false, code: "code_invalid" });
    expect(outcome).not.toHaveProperty("charge");
  });

  it("is graded when only its exit fails", async () => {
    const program = `${RIGHT}raise SystemExit(3)`;
    const { outcome } = await submit(await makeEnvironmentChallenge(), { "main.py": program });
    expect(outcome).toMatchObject({ ok: true, run: { stages: [{ exit_code: 3 }] } });
  });
});

describe.runIf(tests)("an environment", () => {
  it("runs in a box, and may return its own result with a video", async () => {
    const challenge = await makeEnvironmentChallenge({
      evaluator: { gym: "env.py:make", sandbox: "bubblewrap", memory_mb: 128 },
      environment: { score: "result" },
      files: {
        "env.py": WALK.replace(
          "def make",
          `def result(self, output_dir):
    open(output_dir + "/run.png", "w").write("frames")
    return {"score": 42, "message": "well done", "media": {"path": output_dir + "/run.png"}}
Walk.result = result

def make`,
        ),
      },
    });
    const { outcome, log } = await submit(challenge, { "main.py": RIGHT });
    expect(outcome, log).toMatchObject({
      ...{ ok: true, score: 42, message: "well done" },
      media: { name: "run.png", size: 6, type: "image/png" },
      artifacts: [{ name: "steps.ndjson.gz" }],
    });
  });

  it("whose files cannot be read in its box is the challenge's fault", async () => {
    const challenge = await makeEnvironmentChallenge({
      evaluator: { gym: "env.py:make", sandbox: "bubblewrap" },
    });
    await chmod(join(challenge.dir, "env.py"), 0o600);
    const { outcome, log } = await submit(challenge, { "main.py": RIGHT });
    expect(outcome).toMatchObject({ ok: false, code: "env_crashed" });
    expect(log).toContain("env.py cannot be read in the box");
  });

  it("that crashes once is started again, and the agent notices nothing", async () => {
    const env = WALK.replace("import random", "import os, random, sys").replace(
      "        self.steps += 1\n",
      `        self.steps += 1
        if self.steps == 2 and not os.path.exists("crashed"):
            open("crashed", "w").close()
            sys.exit(1)
`,
    );
    const challenge = await makeEnvironmentChallenge({ files: { "env.py": env } });
    const { outcome, log } = await submit(challenge, { "main.py": RIGHT });
    expect(outcome, log).toMatchObject({ ok: true, environment: { resumed: 1 } });
    expect(log).toContain("It was started again");
  });

  it("of the old gym is seeded, and answers in four parts", async () => {
    const old = `import numpy as np
class Discrete:
    def __init__(self, n): self.n = n
class Box:
    def __init__(self): self.low, self.high, self.shape, self.dtype = np.zeros(2), np.full(2, np.inf), (2,), np.float32
class Env:
    action_space, observation_space = Box(), Box()
    def seed(self, seed): self.seeded = seed
    def reset(self): return np.array([self.seeded, 0], dtype=np.float32)
    def step(self, action):
        assert isinstance(action, np.ndarray) and action.dtype == np.float32
        return np.zeros(2), np.float32(action.sum()), True, {"TimeLimit.truncated": True, "odd": np.nan}
`;
    const agent = `from crowdai_agent import connect
env = connect()
for seed in (1, 2, 3):
    assert env.reset() == [seed, 0], env
    assert env.step([0.5, seed]) == ([0, 0], 0.5 + seed, False, True, {"TimeLimit.truncated": True, "odd": None})
assert env.reset() is None
env.submit()
`;
    const challenge = await makeEnvironmentChallenge({
      evaluator: { gym: "env.py:Env" },
      files: { "env.py": old },
    });
    const { outcome, log } = await submit(challenge, { "main.py": agent });
    expect(outcome, log).toMatchObject({ ok: true, score: 2.5 });
  });
});
