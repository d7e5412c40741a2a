import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../testing/challenge.ts";

const driver = fileURLToPath(new URL("./gym_environment.py", import.meta.url));

const SPACES = `class Space:
    def __init__(self, **fields): self.__dict__.update(fields)
class Discrete(Space): pass
class Box(Space): pass
class MultiDiscrete(Space): pass
class MultiBinary(Space): pass
class Dict(Space): pass
class Tuple(Space): pass
class Text(Space): pass
class Env:
    action_space = observation_space = Discrete(n=2)
    def reset(self, seed=None): return [0], {}
    def step(self, action): return [action], 1, False, False, {}
`;

/**
 * Opens an environment, resets it with a seed of 7, and takes a step. Returns its answers, and what it
 * printed elsewhere.
 */
async function drive(code: string, action: unknown = 1) {
  const dir = await temporaryFolder();
  await writeFile(join(dir, "env.py"), SPACES + code);
  const requests = [
    { type: "open", round: 1, episodes: 1, output_dir: dir },
    { type: "reset", episode: 1, seed: 7 },
    { type: "step", action },
    { type: "close" },
  ].map((request) => `${JSON.stringify({ id: "s", ...request })}\n`);
  const { stdout, stderr } = spawnSync("python3", [driver, join(dir, "env.py"), "Env"], {
    input: requests.join(""),
    encoding: "utf8",
  });
  return { answers: stdout.trim().split("\n").filter(Boolean).map(parse), stdout, stderr };
}

/** NaN stays visible. */
const parse = (line: string) => JSON.parse(line.replaceAll("NaN", '"NaN"'));

const env = (body: string) => `class Env(Env):\n${body.replace(/^/gm, "    ")}\n`;

describe("the driver of Gymnasium environments", () => {
  it("describes spaces in the form of gym-http-api", async () => {
    const { answers, stderr } = await drive(
      env(`import math
action_space = Tuple(spaces=[Discrete(n=3, start=1), MultiDiscrete(nvec=[2, 3]), MultiBinary(n=4), Text(max_length=5)])
observation_space = Dict(spaces={"a": Box(shape=(2,), low=-math.inf, high=[1, math.inf]), "b": Space(), "c": MultiBinary(n=(2, 2))})`),
      [1, [0, 0], [0, 0, 0, 0], ""],
    );
    expect(answers[0], stderr).toEqual({
      ...{ id: "s", type: "spaces" },
      action: {
        name: "Tuple",
        spaces: [
          { name: "Discrete", n: 3, start: 1 },
          { name: "MultiDiscrete", nvec: [2, 3] },
          { name: "MultiBinary", n: 4 },
          { name: "Text", max_length: 5 },
        ],
      },
      observation: {
        name: "Dict",
        spaces: {
          a: { name: "Box", shape: [2], low: [-1e100, -1e100], high: [1, 1e100] },
          b: { name: "Any" },
          c: { name: "Box", shape: [2, 2], low: [0, 0, 0, 0], high: [1, 1, 1, 1], dtype: "int8" },
        },
      },
    });
  });

  it("seeds the generators of the process, too", async () => {
    const random = env("def reset(self): import random; return [random.random()]");
    const first = (await drive(random)).answers[1];
    expect(first).toMatchObject({ type: "observation", observation: [expect.any(Number)], info: {} });
    expect((await drive(random)).answers[1]).toEqual(first);
  });

  it("seeds an environment inside a wrapper that passes everything on", async () => {
    const wrapped = (reset: string) => `class Inner(Env):
    def seed(self, seed): self.seeded = seed
    def reset(${reset}): return [seed if "seed" in locals() else -self.seeded]
class Env:
    def __init__(self): self.env = Inner(); self.action_space = self.env.action_space
    def seed(self, seed): self.env.seed(seed)
    def reset(self, **given): return self.env.reset(**given)
    def step(self, action): return self.env.step(action)
`;
    expect((await drive(wrapped("self, seed=None"))).answers[1].observation).toEqual([7]);
    expect((await drive(wrapped("self"))).answers[1].observation).toEqual([-7]);
  });

  it("moves prints to stderr, and gives the environment an empty stdin", async () => {
    const { answers, stderr } = await drive(
      env(`def step(self, action):
    import os, sys
    print("from print"); os.system("echo from a child"); os.write(1, b"from os\\n")
    return [sys.stdin.read()], 0, True, False, {}`),
    );
    expect(answers[2]).toMatchObject({ observation: [""], terminated: true });
    expect(stderr).toContain("from print");
    expect(stderr).toContain("from a child");
    expect(stderr).toContain("from os");
  });

  it("keeps NaN in observations, which fail, and drops it from the additional information", async () => {
    const { answers } = await drive(
      env(`def step(self, action): return [float("nan")], 0, False, False, {"a": [float("nan"), {1: 2}]}`),
    );
    expect(answers[2]).toMatchObject({ observation: ["NaN"], info: { a: [null, { 1: 2 }] } });
  });

  it("converts keys that JSON cannot represent", async () => {
    const { answers } = await drive(env("def reset(self, seed): return {(1, 2): [{3: {4}}]}, {}"));
    expect(answers[1].observation).toEqual({ "(1, 2)": [{ 3: [4] }] });
  });

  it("stops with a traceback when the environment raises", async () => {
    const { answers, stderr } = await drive(env("def step(self, action): raise ValueError('broken')"));
    expect(answers).toHaveLength(2);
    expect(stderr).toContain("ValueError: broken");
  });
});
