import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ChallengeFolder } from "@crowdai/shared/challenge-folder";
import { loadChallengeFolder } from "@crowdai/shared/challenge-folder";
import { onTestFinished } from "vitest";

/** Makes a temporary folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "crowdai-grader-test-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }));
  return dir;
}

/** Makes a challenge folder from files by name and an evaluator configuration. */
export async function makeChallenge(
  evaluator: object,
  files: Record<string, string> = {},
  id = "iris",
  config: object = {},
): Promise<ChallengeFolder> {
  const dir = join(await temporaryFolder(), id);
  await mkdir(dir);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), text);
    await chmod(join(dir, name), 0o755);
  }
  await writeFile(
    join(dir, "challenge.json"),
    JSON.stringify({ id, title: "Iris", score: {}, evaluator, ...config }),
  );
  return await loadChallengeFolder(dir);
}

/** Makes a challenge with a batch evaluator in Python, which can use `job` and `say`. */
export function batch(script: string, evaluator: object = {}) {
  const prelude = `import json, os, sys, time
job = json.loads(sys.stdin.readline())
def say(**event): print(json.dumps(dict(event, id=job["id"])), flush=True)
`;
  return makeChallenge(
    { command: ["python3", "evaluate.py"], ...evaluator },
    { "evaluate.py": prelude + script },
  );
}

/** Makes a challenge with a persistent evaluator that scores the sum of a list. */
export function sums(evaluator: object = {}) {
  return makeChallenge(
    { command: ["python3", "evaluate.py"], mode: "persistent", ...evaluator },
    {
      "evaluate.py": `import json, os, sys
for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps({"id": job["id"], "type": "result", "score": sum(job["input"]["data"] or []), "meta": {"pid": os.getpid()}}), flush=True)`,
    },
  );
}
