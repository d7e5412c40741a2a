import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * An environment that counts the steps it does, and says so in its result. An episode has five steps unless
 * STEPS says otherwise, the reward is the first number of the action. It does what its first argument says at
 * its third step: once when there is a second argument, a file that it leaves then.
 */
const ENVIRONMENT = `import json, os, sys, time
what, flag = (sys.argv + ["", ""])[1:3]
length = int(os.environ.get("STEPS") or 5)
if what.isdigit(): length, what = int(what), ""
total = n = seed = 0
place = 0.0
def say(**fields): print(json.dumps({"id": job["id"], **fields}), flush=True)
def misbehave():
    if flag:
        if os.path.exists(flag): return
        open(flag, "w").close()
    if what == "crash": sys.exit(3)
    if what == "hang": time.sleep(1000)
    if what == "rubbish": print("Loading the simulator ...", flush=True)
    if what == "flood":
        while True: print("x" * 100000)
    if what == "leak":
        kept = []
        while True: kept.append(bytearray(b"x" * 10_000_000))
for line in sys.stdin:
    job = json.loads(line)
    if job["type"] == "open":
        if what == "absent": raise ImportError("no simulator")
        say(
            type="spaces",
            action={"name": "Box", "shape": [2], "low": [-1, -1], "high": [1, 1]},
            observation={"name": "Box", "shape": [3], "low": [-1e100] * 3, "high": [1e100] * 3},
        )
    elif job["type"] == "reset":
        seed, n, place = job["seed"] % 1000 + 1, 0, 0.0
        say(type="observation", observation=[seed, n, place], info={})
    elif job["type"] == "step":
        total += 1
        n += 1
        if total == 3 and what: misbehave()
        place += job["action"][0]
        if what == "differs": place += os.getpid()
        if what == "differs" and total == 3: sys.exit(3)
        reward = float("nan") if what == "nan" and total == 3 else job["action"][0]
        say(type="step", observation=[seed, n, place], reward=reward, terminated=n >= length, truncated=False, info={})
    elif job["type"] == "close":
        say(type="result", message="%d steps" % total)
        break
`;

export interface Hosted {
  /** First the behavior, then the file that limits it to one time. */
  args?: string[];
  environment?: { limits?: Record<string, number> } & Record<string, unknown>;
  evaluator?: Record<string, unknown>;
  /** Fields of challenge.json. */
  config?: Record<string, unknown>;
}

/** Writes a challenge whose environment counts its steps. */
export async function writeCountingChallenge(
  challenges: string,
  id: string,
  { args = [], environment = {}, evaluator = {}, config = {} }: Hosted = {},
): Promise<void> {
  const folder = join(challenges, id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "env.py"), ENVIRONMENT);
  await writeFile(
    join(folder, "challenge.json"),
    JSON.stringify({
      ...{ id, title: id, score: { precision: 3 } },
      evaluator: { command: ["python3", "env.py", ...args], mode: "environment", ...evaluator },
      environment: {
        agents: ["remote"],
        seeds: { count: 3 },
        ...environment,
        limits: { idle_seconds: 20, env_step_seconds: 10, reset_seconds: 20, ...environment.limits },
      },
      ...config,
    }),
  );
}
