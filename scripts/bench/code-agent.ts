import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { loadChallengeFolder } from "@crowdai/shared/challenge-folder";
import { openCodeTests } from "../../grader/src/testing/submit-code.ts";
import { onceDone } from "./cleanup.ts";
import { type Figure, median, quantile } from "./figure.ts";
import { ACTION, OBSERVATION } from "./step-agents.ts";
import { addEnvironment } from "./step-environment.ts";

const STEPS = 10_000;

/** Steps one episode, and prints what the steps took. */
const AGENT = `
import json, sys, time
from crowdai_agent import connect
env = connect()
env.reset()
action = ${JSON.stringify(ACTION)}
took = []
began, used = time.perf_counter(), time.process_time()
for n in range(${STEPS}):
    before = time.perf_counter()
    env.step(action)
    took.append((time.perf_counter() - before) * 1000)
seconds, used = time.perf_counter() - began, time.process_time() - used
took.sort()
print(json.dumps({"p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100], "rate": len(took) / seconds, "cpu": used * 1000 / len(took)}))
`;

const ECHO =
  "import sys\nfor line in iter(sys.stdin.readline, ''):\n    sys.stdout.write(line)\n    sys.stdout.flush()\n";

/**
 * A step of code in a box, there and back through the referee and a Python environment, beside a line through
 * a bare pair of pipes.
 */
export async function* measureCodeAgent(): AsyncGenerator<Figure> {
  const bare = await throughBarePipes();
  yield { name: "bare pair of pipes, median", value: median(bare), unit: "ms" };
  yield { name: "bare pair of pipes, p99", value: quantile(bare, 0.99), unit: "ms" };
  const tests = await openCodeTests();
  // The reason is on the terminal.
  if (!tests) return;
  const folder = mkdtempSync(join(tmpdir(), "crowdai-bench-agent-"));
  const clean = onceDone(async () => {
    await tests.close();
    rmSync(folder, { recursive: true });
  });
  try {
    const environment = {
      agents: ["code"],
      limits: { steps: STEPS },
      code: { command: ["python3", "main.py"] },
    };
    const challenge = await loadChallengeFolder(addEnvironment(folder, "steps", 0, environment));
    const { outcome, log } = await tests.submit(challenge, { "main.py": AGENT }, { seeds: [1] });
    if (!outcome.ok) throw new Error(`the agent was not graded: ${JSON.stringify(outcome)}\n${log}`);
    const { p50, p99, rate, cpu } = JSON.parse(outcome.run?.stages.at(-1)?.stderr ?? "");
    yield {
      name: "step of a code agent, median",
      value: p50,
      unit: "ms",
      target: "≤ 0.2 ms",
      met: p50 <= 0.2,
    };
    yield { name: "step of a code agent, p99", value: p99, unit: "ms", target: "≤ 1 ms", met: p99 <= 1 };
    yield {
      ...{ name: "steps of a code agent", value: rate, unit: "/s" },
      ...{ target: "≥ 5000", met: rate >= 5000 },
    };
    yield { name: "  processor time of the agent", value: cpu, unit: "ms" };
  } finally {
    await clean();
  }
}

async function throughBarePipes(): Promise<number[]> {
  const child = spawn("python3", ["-S", "-c", ECHO], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const samples: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const began = performance.now();
    child.stdin.write(`${JSON.stringify(OBSERVATION)}\n`);
    JSON.parse((await lines.next()).value!);
    samples.push(performance.now() - began);
  }
  child.stdin.end();
  await once(child, "exit");
  return samples;
}
