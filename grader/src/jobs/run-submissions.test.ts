import { afterAll, describe, expect, it } from "vitest";
import { makeRunChallenge } from "../testing/run-challenge.ts";
import { openCodeTests, type SubmitCode } from "../testing/submit-code.ts";

const tests = await openCodeTests();
afterAll(() => tests?.[Symbol.dispose]());
const submit = tests?.submit as SubmitCode;

const DOUBLES = `import os
rows = open(os.environ["CROWDAI_INPUT"] + "/numbers.csv").read().split()
open(os.environ["CROWDAI_OUT"] + "/predictions.csv", "w").write("".join(f"{int(n) * 2}\\n" for n in rows))
print("doubled", len(rows))
`;

describe.runIf(tests)("a submission of code", () => {
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

describe.runIf(tests)("code that fails on the private input", () => {
  const limits = { wall_seconds: 2, memory_mb: 64, cpu_seconds: null, scratch_mb: 8, processes: 16 };
  it.each<[what: string, program: string, run: object, code: string, message: string | RegExp]>([
    ["crashes", "import sys; sys.exit('secret 1')", {}, "code_crashed", "The code exited with code 1."],
    [
      "is ended by a signal",
      "import os; os.kill(os.getpid(), 11)",
      {},
      "code_crashed",
      "The code was ended by SIGSEGV.",
    ],
    [
      "kills all that it can",
      "import os; os.kill(-1, 9)",
      {},
      "code_crashed",
      /^The code (was ended by SIGKILL|killed the box)/,
    ],
    [
      "sleeps",
      "import time; time.sleep(60)",
      { wall_seconds: 0.5 },
      "code_timeout",
      "The code took longer than 0.5 s.",
    ],
    [
      "computes",
      "while True: pass",
      { cpu_seconds: 0.3 },
      "code_cpu",
      "The code used more than 0.3 s of processor time.",
    ],
    [
      "uses memory",
      "x = bytearray(200_000_000)",
      {},
      "code_memory",
      "The code used more than 64 MB of memory, files in /tmp and /out included.",
    ],
    [
      "fills /tmp, which is memory",
      "open('/tmp/x', 'wb').write(bytes(100_000_000))",
      { memory_mb: 32, scratch_mb: 200 },
      "code_memory",
      /32 MB/,
    ],
    [
      "fills /out",
      "open('/out/x', 'wb').write(bytes(20_000_000))",
      {},
      "code_output",
      "The code filled /tmp or /out, which hold 8 MB each.",
    ],
    [
      "fills /out with many files",
      "[open(f'/out/{i}', 'wb').write(bytes(1_000_000)) for i in range(20)]",
      {},
      "code_output",
      /8 MB/,
    ],
    [
      "prints without end",
      "while True: print('x' * 1000000)",
      {},
      "code_output",
      "The code printed more than 67108864 bytes.",
    ],
    ["leaves nothing", "pass", {}, "output_missing", "The code left no /out/predictions.csv."],
    [
      "leaves another file",
      "open('/out/other.csv', 'w').write('1')",
      {},
      "output_missing",
      "The code left no /out/predictions.csv.",
    ],
    [
      "leaves a link",
      "import os; os.symlink('/etc/passwd', '/out/predictions.csv')",
      {},
      "output_invalid",
      "The code left /out/predictions.csv, which is a link.",
    ],
    [
      "leaves a pipe",
      "import os; os.mkfifo('/out/predictions.csv')",
      {},
      "output_invalid",
      "The code left /out/predictions.csv, which is a pipe.",
    ],
    [
      "leaves a folder",
      "import os; os.mkdir('/out/predictions.csv')",
      {},
      "output_invalid",
      "The code left /out/predictions.csv, which is a folder.",
    ],
    [
      "leaves a socket",
      "import socket; socket.socket(socket.AF_UNIX).bind('/out/predictions.csv')",
      {},
      "output_missing",
      /no \/out/,
    ],
    [
      "leaves a large file",
      "open('/out/predictions.csv', 'wb').write(bytes(2001))",
      {},
      "code_output",
      "The code left /out/predictions.csv with 2001 bytes, more than 2000.",
    ],
    [
      "writes into its own code",
      "open('predictions.csv', 'w')",
      {},
      "code_crashed",
      "The code exited with code 1.",
    ],
  ])("and %s", async (_, program, changes, code, message) => {
    const challenge = await makeRunChallenge({
      limits: { ...limits, ...changes },
      output: { path: "predictions.csv", max_bytes: 2000 },
    });
    const { outcome, log } = await submit(challenge, { "main.py": program });
    expect({ ...outcome, log }).toMatchObject({
      ok: false,
      code,
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
    expect(outcome.run!.stages).toMatchObject([{ stage: "run", stdout: null, stderr: null }]);
    expect(JSON.stringify(outcome)).not.toMatch(/secret|crowdai-grader-test/);
  });
});
