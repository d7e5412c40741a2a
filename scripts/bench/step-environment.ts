import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Answers each step after the pause that its argument names, in seconds. Its lines are ready, and it reads no
 * action: what Python needs for numbers is the work of an environment, and not measured here.
 */
const ENVIRONMENT = `
import json, sys, time
PAUSE = float(sys.argv[1])
box = lambda size: {"name": "Box", "shape": [size], "low": [-1e100] * size, "high": [1e100] * size}
answers = {
    "open": {"type": "spaces", "action": box(18), "observation": box(41)},
    "reset": {"type": "observation", "observation": [i / 7 for i in range(41)], "info": {}},
}
answers["step"] = dict(answers["reset"], type="step", reward=1, terminated=False, truncated=False)
lines = {name: (", " + json.dumps(answer)[1:] + "\\n").encode() for name, answer in answers.items()}
for line in iter(sys.stdin.buffer.readline, b""):
    # {"id":"…","type":"step",…
    _, _, _, id, _, _, _, kind, _ = line.split(b'"', 8)
    kind = kind.decode()
    if kind == "close":
        break
    if PAUSE and kind == "step":
        time.sleep(PAUSE)
    sys.stdout.buffer.write(b'{"id": "' + id + b'"' + lines[kind])
    sys.stdout.buffer.flush()
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
