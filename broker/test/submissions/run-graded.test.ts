import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Submission } from "@crowdai/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTestSandbox } from "../../../grader/src/testing/boxes.ts";
import { createPlainGit, type PlainGit } from "../code/plain-git.ts";
import { createPageClient } from "../pages/page-client.ts";
import { push, RUN, runChallenge, submitRun } from "../support/run-challenge.ts";
import { startBroker, type TestBroker } from "../support/test-broker.ts";
import { until } from "../support/until.ts";

const CANARY = "canary-of-the-private-input";
const EVALUATE = `import json, sys
job = json.loads(sys.stdin.readline())
rows = open(job["input"]["path"]).read().split()
answers = open("private/answers.csv").read().split()
score = sum(a == b for a, b in zip(rows, answers)) / len(answers)
print(json.dumps({"id": job["id"], "type": "result", "score": score}), flush=True)
`;
/** Doubles each number, prints what it read, and does what \`more\` says with the rows. */
const program = (more = "") => `import os, sys
rows = open("/input/numbers.csv").read().split()
print("read", rows)
${more}
open("/out/predictions.csv", "w").write("\\n".join(str(int(n) * 2) for n in rows if n.isdigit()))
`;

const sandbox = await openTestSandbox();
sandbox?.[Symbol.dispose]();

describe.runIf(sandbox)("code that a grader of the broker runs", () => {
  let test: TestBroker;
  let git: PlainGit;
  beforeAll(async () => {
    const run = { ...RUN, input: "private/input", sample: "public/sample", limits: { wall_seconds: 60 } };
    [test, git] = await Promise.all([
      startBroker({
        challenges: [runChallenge({ run })],
        async prepare(folder) {
          const files = {
            "evaluate.py": EVALUATE,
            "private/answers.csv": "2\n4\n",
            "private/input/numbers.csv": `1\n2\n${CANARY}\n`,
            "public/sample/numbers.csv": "5\n",
          };
          for (const [name, text] of Object.entries(files)) {
            const path = join(folder, "challenges/test", name);
            await mkdir(join(path, ".."), { recursive: true });
            await writeFile(path, text);
          }
        },
      }),
      createPlainGit(),
    ]);
  });
  afterAll(() => Promise.all([test?.close(), git?.close()]));

  /** Submits a program, and waits for its end. */
  async function graded(text: string): Promise<Submission> {
    const snapshot = await git.snapshot({ "main.py": text });
    const receipt = await submitRun(test, snapshot);
    expect((await push(git, receipt, snapshot, test.key)).code).toBe(0);
    return until(async () => {
      const answer = await test.fetch(`/api/v1/submissions/${receipt.submission.id}`);
      const now = (await answer.json()) as Submission;
      return (now.state === "graded" || now.state === "failed") && now;
    });
  }

  /** Everything that the participant can read about a submission. */
  async function readable(submission: Submission): Promise<string> {
    const visitor = createPageClient(test);
    await visitor.signIn(test.key);
    const page = await (await visitor.get(`/submissions/${submission.id}`)).text();
    const events = await (await test.fetch(`/api/v1/submissions/${submission.id}/events?after=0`)).text();
    return [JSON.stringify(submission), page, events].join("\n");
  }

  it("is scored by its output, after stages that are events", async () => {
    const submission = await graded(program());
    expect(submission).toMatchObject({ state: "graded", score: 1, slot: "charged" });
    expect(submission.run?.stages).toMatchObject([
      { stage: "sample", ended: "exit", exit_code: 0, stdout: "read ['5']\n" },
      { stage: "run", ended: "exit", exit_code: 0, stdout: null, stderr: null },
    ]);
    const answer = await test.fetch(`/api/v1/submissions/${submission.id}/events?after=0`);
    const { events } = (await answer.json()) as { events: { type: string; data: { stage?: string } }[] };
    expect(events.flatMap(({ data }) => data.stage ?? [])).toEqual(["sample", "run", "evaluate"]);
    expect(await readable(submission)).not.toContain(CANARY);
  });

  it("returns the slot when it fails on the sample, and shows what it printed", async () => {
    const submission = await graded(program("sys.exit('no such row')"));
    expect(submission).toMatchObject({ state: "failed", error: { code: "sample_failed" }, slot: "returned" });
    expect(submission.run?.stages).toMatchObject([
      { stage: "sample", exit_code: 1, stderr: "no such row\n" },
    ]);
  });

  it("charges the slot when it fails on the private input, and shows nothing of it", async () => {
    const submission = await graded(program("if len(rows) > 1: sys.exit(rows[2])"));
    expect(submission).toMatchObject({ state: "failed", error: { code: "code_crashed" }, slot: "charged" });
    expect(await readable(submission)).not.toContain(CANARY);
  });
});
