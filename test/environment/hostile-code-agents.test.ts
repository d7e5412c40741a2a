import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Challenge } from "../../cli/src/index.ts";
import { makeProject } from "../../cli/test/project.ts";
import { missing } from "../required-programs.ts";
import { type HostingBroker, hostEnvironments } from "./hosting-broker.ts";

/** As graders need them for boxes. */
const hasBoxes = process.getuid?.() === 0 && !missing("bwrap", "git", "python3");

const CODE = {
  ...{ command: ["python3", "main.py"], build: null },
  limits: { memory_mb: 64, processes: 16, scratch_mb: 16 },
};
const LIMITS = { step_seconds: 0.3, bank_seconds: 0.2, idle_seconds: 3 };

/** Speaks for itself: crowdai_agent.py would not send any of this. */
const HEAD = `import json, os, sys, time
def send(request): os.write(1, (request if isinstance(request, bytes) else json.dumps(request).encode()) + b"\\n")
def ask(request):
    send(request)
    return json.loads(sys.stdin.readline())
RESET = {"type": "reset"}
def step(action=[1, 0]): return {"type": "step", "action": action}
`;

describe.skipIf(!hasBoxes)("code of an agent", { timeout: 60_000 }, () => {
  let hosting: HostingBroker;
  let key: string;
  beforeAll(async () => {
    hosting = await hostEnvironments(() => ({
      code: { environment: { agents: ["code"], code: CODE, limits: LIMITS } },
    }));
    key = await hosting.join();
  });
  afterAll(() => hosting?.close());

  async function submit(program: string) {
    await using project = makeProject();
    project.write("main.py", HEAD + program);
    const challenge = await Challenge.open("code", { apiKey: key, broker: hosting.url });
    try {
      const { id } = await challenge.submitCode({ code: project.folder, wait: false });
      return await hosting.ended(id, key);
    } finally {
      await challenge.close();
    }
  }

  it.each<[string, string, string, string, RegExp]>([
    [
      "sends a line of 1 GB",
      `ask(RESET)\nfor _ in range(1000): os.write(1, b"x" * 1_000_000)\ntime.sleep(60)`,
      "agent_protocol",
      "charged",
      /^The agent sent a line of more than 1000000 bytes \(episode 1, step 0\)\.$/,
    ],
    [
      "sends rubbish before its first reset",
      `for _ in range(10): send(b"\\xff\\x00 hello")\ntime.sleep(60)`,
      "agent_protocol",
      "returned",
      /^The agent sent 10 invalid requests \(before the first episode\)\. .*not UTF-8/,
    ],
    [
      "sends NaN",
      `ask(RESET)\nfor _ in range(10): ask(step([float("nan"), 0]))\ntime.sleep(60)`,
      "agent_protocol",
      "charged",
      /^The agent sent 10 invalid requests \(episode 1, step 0\)\. .*NaN/,
    ],
    [
      "sends numbers that are too large",
      `ask(RESET)\nfor _ in range(10): ask(b'{"type":"step","action":[1e999,0]}')\ntime.sleep(60)`,
      "agent_protocol",
      "charged",
      /^The agent sent 10 invalid requests .*expected a finite number, got Infinity/,
    ],
    [
      "resets for ever",
      "while True: ask(RESET)",
      "agent_protocol",
      "charged",
      /^The agent sent 10 invalid requests \(episode 1, step 0\)\. .*episode 1 is not over/,
    ],
    [
      "submits early, whatever it adds",
      `ask(RESET)\nwhile True: ask({"type": "submit", "early": True})`,
      "agent_protocol",
      "charged",
      /^The agent sent 10 invalid requests \(episode 1, step 0\)\. .*0 of 3 episodes are finished/,
    ],
    [
      "sends steps without waiting for answers",
      "send(RESET)\nwhile True: send(step())",
      "agent_protocol",
      "charged",
      /^The agent sent \d+ (requests without waiting for an answer|invalid requests) \(episode 1, step \d\)/,
    ],
    [
      "closes its stdout and stays",
      "ask(RESET)\nos.close(1)\ntime.sleep(60)",
      "agent_timeout",
      "charged",
      /^The agent took too long \(episode 1, step 0\): it may take 0\.3 s/,
    ],
    [
      "says hello for ever",
      `while True: ask({"type": "hello"})`,
      "agent_timeout",
      "returned",
      /^The agent took too long \(before the first episode\): it may take 3 s until a reset\.$/,
    ],
    [
      "is killed by its memory",
      `ask(RESET)\nx = [bytearray(b"x" * 2**20) for _ in range(1000)]`,
      "code_memory",
      "charged",
      /^The agent used more than 64 MB of memory|memory/,
    ],
  ])("that %s", async (_, program, code, slot, text) => {
    const { state, error, slot: settled, grading_message } = await submit(program);
    expect({ state, error, slot: settled, grading_message }).toMatchObject({
      ...{ state: "failed", slot },
      error: { code, fault: "you", message: expect.stringMatching(text) },
    });
  });

  const PLAY = `for episode in range(1, 4):
    ask({"type": "reset", "episode": episode})
    for n in range(1, 6):
        request = {"type": "step", "episode": episode, "n": n, "action": [0.5, 0]}
        answer = ask(request)
        assert ask(request) == answer, answer
`;
  it("that repeats its requests does each step once", async () => {
    expect(await submit(`${PLAY}ask({"type": "submit"})`)).toMatchObject({
      ...{ state: "graded", score: 2.5, grading_message: "15 steps", slot: "charged" },
    });
  });

  it("that asks for ever after its last episode is graded", async () => {
    expect(await submit(`${PLAY}while True: ask(RESET)`)).toMatchObject({
      ...{ state: "graded", score: 2.5, grading_message: "15 steps" },
    });
  });
});
