import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const EVALUATOR = `
import json, sys
for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps({"id": job["id"], "type": "result", "score": job["input"]["data"]["value"]}), flush=True)
`;

export interface Playground {
  data: string;
  challenges: string;
  remove(): void;
}

/**
 * Folders for a broker with one challenge, `echo`, whose persistent evaluator answers at once with the number
 * it gets; `more` goes into its challenge.json.
 */
export function createPlayground(more: Record<string, unknown> = {}): Playground {
  const folder = mkdtempSync(join(tmpdir(), "crowdai-bench-"));
  const [data, challenges] = [join(folder, "data"), join(folder, "challenges")];
  mkdirSync(data);
  mkdirSync(join(challenges, "echo"), { recursive: true });
  writeFileSync(join(challenges, "echo/evaluate.py"), EVALUATOR);
  const config = {
    id: "echo",
    title: "Echo",
    score: { precision: 3 },
    rounds: [{ id: "1", parallel_limit: null }],
    evaluator: { command: ["python3", "evaluate.py"], mode: "persistent" },
    ...more,
  };
  writeFileSync(join(challenges, "echo/challenge.json"), JSON.stringify(config));
  const remove = () => {
    process.off("exit", remove);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  process.on("exit", remove);
  return { data, challenges, remove };
}
