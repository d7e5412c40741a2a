import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Takes as long as its input says, reports progress, and returns the score of its input with its start time,
 * or refuses.
 */
const EVALUATOR = `import json, sys, time
for line in sys.stdin:
    job = json.loads(line)
    began = time.time()
    source = job["input"]
    if "path" in source:
        with open(source["path"]) as file:
            given = json.load(file)
    else:
        given = source["data"]
    say = lambda **event: print(json.dumps({"id": job["id"], **event}), flush=True)
    steps = given.get("steps", 0)
    for step in range(steps):
        time.sleep(given["seconds"] / (steps + 1))
        say(type="progress", percent=100 * (step + 1) / (steps + 1), message="step")
    time.sleep(given["seconds"] / (steps + 1))
    if "reject" in given:
        say(type="error", message=given["reject"])
    else:
        say(type="result", score=given["score"], message=str(began))
`;

/** Writes the challenge that is used when none is named. */
export async function writeChaosChallenge(challenges: string): Promise<void> {
  const folder = join(challenges, "chaos");
  await mkdir(folder, { recursive: true });
  const config = {
    id: "chaos",
    title: "Chaos",
    score: { title: "Score", order: "descending", precision: 6 },
    accepts: { file: { extensions: [".json"], max_bytes: 1_000_000 }, json: { max_bytes: 1_000_000 } },
    // A few participants send everything.
    rounds: [{ id: "1", parallel_limit: null }],
    evaluator: { command: ["python3", "evaluate.py"], mode: "persistent", timeout_seconds: 60 },
  };
  await writeFile(join(folder, "challenge.json"), JSON.stringify(config, null, 2));
  await writeFile(join(folder, "evaluate.py"), EVALUATOR);
}
