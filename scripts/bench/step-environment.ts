import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Answers each step after the pause that its argument names, in seconds. */
const ENVIRONMENT = `
import json, sys, time
PAUSE = float(sys.argv[1])
OBSERVATION = [i / 7 for i in range(41)]
box = lambda size: {"name": "Box", "shape": [size], "low": [-1e100] * size, "high": [1e100] * size}
for line in iter(sys.stdin.readline, ""):
    asked = json.loads(line)
    said = {"id": asked["id"], "type": asked["type"]}
    if asked["type"] == "close":
        break
    if asked["type"] == "open":
        said.update(type="spaces", action=box(18), observation=box(41))
    if asked["type"] == "reset":
        said.update(type="observation", observation=OBSERVATION, info={})
    if asked["type"] == "step":
        if PAUSE:
            time.sleep(PAUSE)
        said.update(observation=OBSERVATION, reward=1, terminated=False, truncated=False, info={})
    sys.stdout.write(json.dumps(said) + "\\n")
    sys.stdout.flush()
`;

/** Adds a challenge whose environment answers after a pause; `more` goes into its `environment`. */
export function addEnvironment(challenges: string, id: string, pauseMs: number, more: object = {}): string {
  const folder = join(challenges, id);
  mkdirSync(folder);
  writeFileSync(join(folder, "env.py"), ENVIRONMENT);
  const config = {
    ...{ id, title: "Steps", score: { precision: 3 }, rounds: [{ id: "1", parallel_limit: null }] },
    evaluator: { command: ["python3", "-S", "env.py", String(pauseMs / 1000)], mode: "environment" },
    environment: { agents: ["remote"], seeds: { count: 1 }, limits: { steps: 1_000_000 }, ...more },
  };
  writeFileSync(join(folder, "challenge.json"), JSON.stringify(config));
  return folder;
}
