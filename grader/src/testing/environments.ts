import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { makeChallenge } from "./challenge.ts";

/**
 * A walk on a line, in the form of Gymnasium but without it: the reward is the place, and it ends at 3 or -3.
 */
export const WALK = `import random

class Discrete:
    def __init__(self, n): self.n = n

class Box:
    def __init__(self, low, high, shape): self.low, self.high, self.shape = low, high, shape

class Walk:
    action_space = Discrete(2)
    observation_space = Box(float("-inf"), 5.0, (2,))
    def reset(self, *, seed=None, options=None):
        print("reset with", seed is not None)
        self.place = random.Random(seed).choice([-1, 0, 1])
        self.steps = 0
        return [self.place, 0.5], {"start": self.place}
    def step(self, action):
        self.place += 1 if action == 1 else -1
        self.steps += 1
        return [self.place, 0.5], float(self.place), abs(self.place) >= 3, False, {}

def make():
    return Walk()
`;

/** The walk as a program that speaks the environment protocol, in JavaScript. */
export const WALK_JS = `import { createInterface } from "node:readline";
let place = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { id, type, seed, action } = JSON.parse(line);
  const say = (fields) => process.stdout.write(JSON.stringify({ id, ...fields }) + "\\n");
  const observation = () => [place, 0.5];
  if (type === "open")
    say({ type: "spaces", action: { name: "Discrete", n: 2 }, observation: { name: "Box", shape: [2], low: [-1e100, -1e100], high: [5, 5] } });
  if (type === "reset") { place = (seed % 3) - 1; say({ type: "observation", observation: observation(), info: {} }); }
  if (type === "step") { place += action === 1 ? 1 : -1; say({ type: "step", observation: observation(), reward: place, terminated: Math.abs(place) >= 3, truncated: false, info: {} }); }
  if (type === "close") break;
}
`;

let challenges = 0;

/** Makes a challenge whose environment is a file of Python, driven as with gym, or \`evaluator\`. */
export function makeEnvironmentChallenge(
  options: { environment?: object; evaluator?: object; files?: Record<string, string> } = {},
): Promise<ChallengeFolder> {
  const { environment = {}, files = {} } = options;
  const { limits, code, ...rest } = environment as { limits?: object; code?: { limits?: object } };
  return makeChallenge(
    options.evaluator ?? { gym: "env.py:make", timeout_seconds: 20 },
    { "env.py": WALK, "env.mjs": WALK_JS, ...files },
    // Graders tell challenges apart by their ids.
    `walk-${++challenges}`,
    {
      environment: {
        ...rest,
        limits: { steps: 100, step_seconds: 5, idle_seconds: 20, env_step_seconds: 10, ...limits },
        code: {
          ...{ command: ["python3", "main.py"] },
          ...code,
          limits: { memory_mb: 256, processes: 32, scratch_mb: 16, build_seconds: 60, ...code?.limits },
        },
      },
    },
  );
}
