import type { IntentRequest, Receipt, RunRecord } from "@crowdai/shared";
import { createSubmissionId } from "@crowdai/shared";
import type { PlainGit, Snapshot } from "../code/plain-git.ts";
import type { TestBroker } from "./test-broker.ts";

export const RUN = {
  command: ["python3", "main.py"],
  build: null,
  output: { path: "predictions.csv" },
  limits: { wall_seconds: 100 },
};

/** A challenge that runs code. */
export const runChallenge = (changes: Record<string, unknown> = {}) => ({
  id: "test",
  evaluator: { command: ["python3", "evaluate.py"], timeout_seconds: 50 },
  run: RUN,
  ...changes,
});

/** A grader's report about a run; the logs of each stage contain a word to search for. */
export const runRecord = (stages: Partial<RunRecord["stages"][number]>[] = [{}]): RunRecord => ({
  ...{ sandbox: "bubblewrap 0.8.0", kernel: "6.1.0", enforced: ["memory of all processes: 2048 MB"] },
  ...{ grader: "g-1", command: RUN.command, image: "host", packages: null, tree: "f".repeat(64) },
  stages: stages.map((stage) => ({
    ...{ stage: "run" as const, cached: false, ended: "exit" as const, exit_code: 0, wall_seconds: 1.5 },
    ...{ cpu_seconds: 1.2, peak_memory_bytes: 64_000_000, output_bytes: 1000, stdout: null, stderr: null },
    ...stage,
  })),
});

/** Announces code as the submission, by a plain request. */
export async function submitRun(
  broker: TestBroker,
  code: Snapshot | null,
  { key, command = null, ...intent }: RunOptions = {},
): Promise<Receipt> {
  const answer = await broker.fetch("/api/v1/submissions", {
    method: "POST",
    ...(key && { key }),
    body: { id: createSubmissionId(), challenge: "test", input: { kind: "code", command }, code, ...intent },
  });
  const body = (await answer.json()) as Receipt & { error?: unknown };
  if (!answer.ok) throw body.error;
  return body;
}

interface RunOptions extends Partial<IntentRequest> {
  key?: string;
  command?: string[] | null;
}

/** Pushes the announced code. */
export const push = (git: PlainGit, { code }: Receipt, snapshot: Snapshot, key: string) =>
  git.run(["push", "-q", code!.url, `${snapshot.commit}:${code!.ref}`], { key });
