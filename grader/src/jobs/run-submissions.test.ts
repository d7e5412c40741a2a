import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ANSWER_CANARY, makeRunChallenge } from "../testing/run-challenge.ts";
import { runGrader } from "../testing/running-grader.ts";
import { openCodeTests, type SubmitCode } from "../testing/submit-code.ts";

const tests = await openCodeTests();
afterAll(() => tests?.close());
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
  const limits = { wall_seconds: 60, memory_mb: 64, cpu_seconds: null, scratch_mb: 8, processes: 16 };
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
      "import os; os.kill(-1, 9); os.kill(os.getpid(), 9)",
      {},
      "code_crashed",
      "The code was ended by SIGKILL.",
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

describe.runIf(tests)("code that cannot be run", () => {
  it.each<[string, object, Record<string, string>, string[] | undefined, string]>([
    [
      "lacks the file of the command",
      {},
      { "other.py": "" },
      undefined,
      "The submitted code has no file main.py.",
    ],
    [
      "lacks the program of the command",
      { command: ["./run.sh"] },
      {},
      undefined,
      "The submitted code has no file run.sh.",
    ],
    [
      "names no command",
      { command: "submission" },
      { "main.py": "", "crowdai.json": '{"code":{"command":[]}}' },
      undefined,
      'The submission names no command. Add one to crowdai.json: {"code": {"command": ["python3", "main.py"]}}.',
    ],
    [
      "names a file that is not there",
      { command: "submission" },
      {},
      ["python3", "-u", "solve.py"],
      "The code exited with code 2.",
    ],
  ])("because it %s", async (_, run, files, command, message) => {
    const challenge = await makeRunChallenge(run);
    const { outcome } = await submit(challenge, files, command ? { command } : {});
    expect(outcome).toMatchObject({
      ok: false,
      code: message.startsWith("The code exited") ? "code_crashed" : "code_invalid",
      message,
    });
  });

  it("runs the command of the submission, or else of its crowdai.json, only if the challenge names none", async () => {
    const free = await makeRunChallenge({ command: "submission" });
    const files = { "a.py": DOUBLES, "b.py": "", "crowdai.json": '{"code":{"command":["python3","a.py"]}}' };
    expect((await submit(free, files)).outcome).toMatchObject({
      ok: true,
      run: { command: ["python3", "a.py"] },
    });
    expect((await submit(free, files, { command: ["python3", "b.py"] })).outcome).toMatchObject({
      code: "output_missing",
    });
    const fixed = await makeRunChallenge({ command: ["python3", "a.py"] });
    expect((await submit(fixed, files, { command: ["python3", "b.py"] })).outcome).toMatchObject({
      ok: true,
    });
  });

  it("fails on the sample with all that it printed, at no cost", async () => {
    const challenge = await makeRunChallenge({ sample: "public/sample" });
    const program = "import sys; print('out'); raise ValueError('wrong')";
    const { outcome } = await submit(challenge, { "main.py": program });
    expect(outcome).toMatchObject({
      code: "sample_failed",
      message: "On the sample, the code exited with code 1: ValueError: wrong",
      run: {
        stages: [
          {
            stage: "sample",
            exit_code: 1,
            stdout: "out\n",
            stderr: expect.stringContaining('File "/code/main.py", line 1'),
          },
        ],
      },
    });
    expect(JSON.stringify(outcome)).not.toContain("crowdai-grader-test");
  });

  it("is the organizer's problem when the input cannot be read in a box", async () => {
    const challenge = await makeRunChallenge();
    await chmod(join(challenge.dir, "private/input/numbers.csv"), 0o600);
    const { outcome, log } = await submit(challenge, { "main.py": DOUBLES });
    expect(outcome).toMatchObject({
      code: "input_unreadable",
      message: "The challenge's input cannot be read.",
    });
    expect(log).toMatch(
      /^private\/input\/numbers.csv is missing, or cannot be read in a box: .*chmod -R o\+rX$/,
    );
  });

  it("is refused where the submission is a file or a value", async () => {
    const challenge = await makeRunChallenge({}, {}, { id: "iris" });
    const grader = await runGrader([challenge], { openSandbox: tests!.openSandbox });
    const id = await grader.publish({ input: { kind: "inline", data: [1] } });
    expect((await grader.report(id, "finished")).outcome).toMatchObject({
      code: "code_invalid",
      message: "The challenge runs code, and the submission has none.",
    });
  });
});

describe.runIf(tests)("what participants can see", () => {
  const SEARCH = `import os, json, sys
found = []
for root in ["/code", "/input", "/out", "/tmp", "/etc", "/dev/shm", "/home", "/root", "/var", "/challenge", "/job", "/packages", "/proc/self", "/proc/1"]:
    for folder, _, files in os.walk(root):
        for name in files:
            try:
                with open(os.path.join(folder, name), "rb") as file: text = file.read(100000)
            except OSError: continue
            if b"canary" + b"-of" in text: found.append(os.path.join(folder, name))
print(found, sorted(os.environ), sorted(os.listdir("/")))
open("/out/predictions.csv", "w").write(json.dumps(found))`;

  it.each(["none", "sample", "all"])(
    "with logs: %s, contains no answer and nothing of the machine",
    async (logs) => {
      const challenge = await makeRunChallenge({ sample: "public/sample", logs });
      const { outcome, reports, log } = await submit(challenge, { "main.py": SEARCH });
      expect(outcome, log).toMatchObject({ ok: true, data: ["[]"] });
      const shown = JSON.stringify(reports.map((report) => ({ ...report, organiser_log: null })));
      for (const word of [ANSWER_CANARY, challenge.dir, "crowdai-grader-test", process.cwd()])
        expect(shown).not.toContain(word);
      const [sample, run] = outcome.run!.stages;
      expect([sample!.stdout !== null, run!.stdout !== null]).toEqual([logs !== "none", logs === "all"]);
      const names = ["CROWDAI_CODE", "CROWDAI_INPUT", "CROWDAI_OUT", "HOME", "LANG", "PATH", "PWD", "TMPDIR"];
      expect(log).toContain(JSON.stringify(names).replaceAll('"', "'").replaceAll(",", ", "));
    },
  );

  it("does not take a line of the program for a result", async () => {
    const challenge = await makeRunChallenge({ logs: "all" });
    const forged = `print('{"id": "submission-1", "type": "result", "score": 1000000}')\n`;
    const { outcome } = await submit(challenge, { "main.py": forged + DOUBLES });
    expect(outcome).toMatchObject({
      ok: true,
      score: 0.75,
      run: { stages: [{ stdout: expect.stringContaining("1000000") }] },
    });
  });

  it("shows the last 64 KB of each stream", async () => {
    const challenge = await makeRunChallenge({ logs: "all" });
    const { outcome } = await submit(challenge, {
      "main.py": `${DOUBLES}\nprint("x" * 200000)\nprint("end \\x1b[2J")`,
    });
    const { stdout } = outcome.run!.stages[0]!;
    expect(stdout).toMatch(/^… \(first \d+ bytes omitted\)\nx+\nend \\u001b\[2J\n$/);
    expect(stdout!.length).toBeLessThan(66_000);
  });
});
