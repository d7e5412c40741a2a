import type { Outcome, Report } from "@crowdai/shared";
import { afterAll, describe, expect, it } from "vitest";
import { openTestSandbox } from "../testing/boxes.ts";
import { makeRunChallenge, storeCode } from "../testing/run-challenge.ts";
import { runGrader } from "../testing/running-grader.ts";

const sandbox = await openTestSandbox();
afterAll(() => sandbox?.[Symbol.dispose]());

/** Tested once for all graders of this file. */
const tested = sandbox?.selfTest();
const openSandbox = async () => ({ ...sandbox!, selfTest: () => tested! });

async function submit(
  challenge: Awaited<ReturnType<typeof makeRunChallenge>>,
  files: Record<string, string>,
  command: string[] | null = null,
): Promise<{ outcome: Outcome; log: string; reports: Report[] }> {
  const grader = await runGrader([challenge], { openSandbox });
  const id = await grader.publish(await storeCode(grader.objects, files, command));
  const { outcome, organiser_log } = await grader.report(id, "finished");
  return { outcome, log: organiser_log, reports: grader.reports };
}

const DOUBLES = `import os
rows = open(os.environ["CROWDAI_INPUT"] + "/numbers.csv").read().split()
open(os.environ["CROWDAI_OUT"] + "/predictions.csv", "w").write("".join(f"{int(n) * 2}\\n" for n in rows))
print("doubled", len(rows))
`;

describe.runIf(sandbox)("a submission of code", () => {
  it("is run on the sample and on the private input, and its output is evaluated", async () => {
    const challenge = await makeRunChallenge({ sample: "public/sample" });
    const { outcome, log, reports } = await submit(challenge, { "main.py": DOUBLES });
    expect(outcome, log).toMatchObject({ ok: true, score: 0.75, data: ["2", "4", "6"] });
    expect(reports.filter(({ type }) => type === "progress")).toMatchObject([
      { stage: "sample", percent: null },
      { stage: "run", percent: null },
      { stage: "evaluate", percent: null },
      { stage: "evaluate", percent: 50, message: "half" },
    ]);
    expect(outcome.run).toMatchObject({
      sandbox: expect.stringContaining("bubblewrap"),
      command: ["python3", "main.py"],
      grader: "grader-1",
      image: "host",
      packages: null,
      stages: [
        { stage: "sample", ended: "exit", exit_code: 0, stdout: "doubled 1\n", stderr: "", output_bytes: 3 },
        { stage: "run", ended: "exit", exit_code: 0, stdout: null, stderr: null, output_bytes: 1024 },
      ],
    });
    expect(outcome.run!.enforced).toContain(
      "memory of all processes, files in /tmp and /out included: 128 MB",
    );
  });
});
