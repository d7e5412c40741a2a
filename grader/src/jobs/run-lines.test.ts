import { afterAll, describe, expect, it } from "vitest";
import { makeRunChallenge } from "../testing/run-challenge.ts";
import { openCodeTests, type SubmitCode } from "../testing/submit-code.ts";

const tests = await openCodeTests();
afterAll(() => tests?.close());
const submit = tests?.submit as SubmitCode;

/** Scores the number of answers, and returns them as text. */
const EVALUATE = `import json, sys
job = json.loads(sys.stdin.readline())
text = open(job["input"]["path"]).read()
print(json.dumps({"id": job["id"], "type": "result", "score": len(text.splitlines()), "data": text}))
`;

const challenge = (output: object = {}, limits: object = {}, run: object = {}) =>
  makeRunChallenge(
    {
      input: "private/input.jsonl",
      output: { lines: true, ...output },
      ...run,
      limits: { wall_seconds: 60, ...limits },
    },
    {
      "evaluate.py": EVALUATE,
      "private/input.jsonl": '{"n": 12345678901234567890}\n\n{"n": 1.50}\r\n{"n": "three"}',
      "public/sample.jsonl": '{"n": 0}\n',
    },
  );

const ECHO = `import json, sys
for line in sys.stdin:
    print(line[6:].strip().rstrip("}"), flush=True)
`;

describe.runIf(tests)("code that answers lines", () => {
  it.each(["all", "one"])("gets %s of them, and each answer keeps its digits", async (feed) => {
    const { outcome, log } = await submit(await challenge({ feed }), { "main.py": ECHO });
    expect(outcome, log).toMatchObject({ ok: true, score: 3, data: '12345678901234567890\n1.50\n"three"\n' });
    expect(outcome.run!.stages).toMatchObject([{ stage: "run", ended: "exit", exit_code: 0 }]);
  });

  it("finds nothing at /input", async () => {
    const program = `import os, sys
for line in sys.stdin: print('"%s"' % (os.path.exists("/input") or "CROWDAI_INPUT" in os.environ), flush=True)`;
    const { outcome } = await submit(await challenge(), { "main.py": program });
    expect(outcome).toMatchObject({ data: '"False"\n"False"\n"False"\n' });
  });

  it("sees a line only when it has answered the one before", async () => {
    const program = `import json, select, sys, os
for _ in range(3):
    line = os.read(0, 10000)
    more = bool(select.select([0], [], [], 0.2)[0])
    print(json.dumps([line.count(b"\\n"), more]), flush=True)`;
    const { outcome } = await submit(await challenge({ feed: "one" }), { "main.py": program });
    // The end of the input comes after the last answer.
    expect(outcome).toMatchObject({ data: "[1, false]\n[1, false]\n[1, false]\n" });
  });

  it("is run on the sample first, and may see what is wrong with its answers", async () => {
    const { outcome, log } = await submit(await challenge({}, {}, { sample: "public/sample.jsonl" }), {
      "main.py": "print('[1, NaN]')",
    });
    expect(outcome, log).toMatchObject({
      code: "sample_failed",
      message: expect.stringMatching(
        /^On the sample, the code printed a line 1 that is not valid JSON: .*NaN/,
      ),
      run: { stages: [{ stage: "sample", ended: "output", stdout: "[1, NaN]\n" }] },
    });
  });

  it.each<[string, string, object, object, string, string]>([
    ["answers too few", "input(); print(1)", {}, {}, "output_invalid", "The code answered 1 of 3 lines."],
    [
      "answers none",
      "import sys; sys.stdin.read()",
      {},
      {},
      "output_invalid",
      "The code answered 0 of 3 lines.",
    ],
    [
      "answers a line twice",
      "import time; input(); print(1); print(2, flush=True); time.sleep(9)",
      { feed: "one" },
      {},
      "output_invalid",
      "The code printed more lines than it was given (1).",
    ],
    [
      "answers too much",
      "import sys; sys.stdin.read(); print('1\\n' * 4)",
      {},
      {},
      "output_invalid",
      "The code printed more lines than it was given (3).",
    ],
    [
      "answers too much before it reads",
      "print('1\\n' * 4, flush=True); import sys; sys.stdin.read()",
      {},
      {},
      "output_invalid",
      "The code printed more lines than it was given (3).",
    ],
    [
      "prints what is not JSON before it reads",
      "print('Loading', flush=True); input()",
      { feed: "one" },
      {},
      "output_invalid",
      "The code printed a line 1 that is not valid JSON.",
    ],
    [
      "prints what is not JSON",
      "input(); print('secret')",
      {},
      {},
      "output_invalid",
      "The code printed a line 1 that is not valid JSON.",
    ],
    [
      "prints what is not UTF-8",
      "import os; input(); os.write(1, b'\"\\xff\"\\n')",
      {},
      {},
      "output_invalid",
      "The code printed a line 1 that is not valid JSON.",
    ],
    [
      "prints more bytes than it may",
      "print('1 ' * 1000)",
      { max_bytes: 1000 },
      {},
      "code_output",
      "The code printed more than 1000 bytes (it had answered 0 of 3 lines).",
    ],
    [
      "crashes in the middle",
      "input(); print(1, flush=True); raise SystemExit(3)",
      {},
      {},
      "code_crashed",
      "The code exited with code 3 (it had answered 1 of 3 lines).",
    ],
    [
      "forgets to flush",
      "import sys\nfor line in sys.stdin: print(1)",
      { feed: "one" },
      { wall_seconds: 0.7 },
      "code_timeout",
      "The code took longer than 0.7 s (it had answered 0 of 3 lines).",
    ],
    [
      "closes its input",
      "import os, time; os.close(0); time.sleep(0.1)",
      { feed: "one" },
      {},
      "output_invalid",
      "The code answered 0 of 3 lines.",
    ],
  ])("and %s fails", async (_, program, output, limits, code, message) => {
    const { outcome, log } = await submit(await challenge(output, limits), { "main.py": program });
    expect({ ...outcome, log }).toMatchObject({ ok: false, code, message });
    expect(JSON.stringify(outcome)).not.toContain("secret");
  });

  it("gets large input and gives large output without filling the grader's memory", async () => {
    const large = await makeRunChallenge(
      { input: "private/input.jsonl", output: { lines: true } },
      {
        "evaluate.py": EVALUATE.replace('"data": text', '"data": None'),
        "private/input.jsonl": `"${"x".repeat(1000)}"\n`.repeat(5000),
      },
    );
    const { outcome, log } = await submit(large, {
      "main.py": "import sys\nfor line in sys.stdin: sys.stdout.write(line)",
    });
    expect({ ...outcome, log: log.slice(0, 300) }).toMatchObject({ ok: true, score: 5000 });
  });
});
