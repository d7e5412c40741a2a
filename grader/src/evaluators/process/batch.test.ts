import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allowedMs } from "../../../../test/allowed-ms.ts";
import { isGone, makeEvaluator, shell } from "../../testing/evaluation.ts";
import { MAX_OUTPUT_BYTES } from "./process.ts";

const RESULT = `echo '{"id":"job1","type":"result","score":0.5}'`;

describe("a batch evaluator", () => {
  it("reads its job on stdin until the end, and reports its events and result", async () => {
    const { run } = await makeEvaluator(
      { command: ["python3", "evaluate.py"] },
      {
        "evaluate.py": `
import json, os, sys
job = json.loads(sys.stdin.read())
def say(**event): print(json.dumps(dict(event, id=job["id"])))
say(type="progress", percent=42.5, message="fold 3 of 7")
say(type="log", message="reading")
say(type="result", score=sum(job["input"]["data"]), score_secondary=0.25, message="good",
    meta={"cwd": os.getcwd(), "keys": sorted(job)}, data=[1])`,
      },
    );
    const { verdict, events } = await run({ input: { data: [1, 2.5] } });
    expect(events).toEqual([
      { type: "progress", percent: 42.5, message: "fold 3 of 7" },
      { type: "log", message: "reading" },
    ]);
    expect(verdict).toMatchObject({
      kind: "result",
      result: {
        score: 3.5,
        score_secondary: 0.25,
        message: "good",
        data: [1],
        meta: { keys: ["code", "dry_run", "function", "id", "input", "output_dir", "round"] },
      },
    });
  });

  it("runs in the challenge folder", async () => {
    const { run, dir } = await shell(
      `echo "{\\"id\\":\\"job1\\",\\"type\\":\\"result\\",\\"score\\":1,\\"data\\":\\"$PWD\\"}"`,
    );
    expect((await run()).verdict).toMatchObject({ result: { data: dir } });
  });

  it("can open /dev/stdin, because its job is a plain file", async () => {
    const { run } = await shell(`grep -q '"function":"submit"' /dev/stdin && ${RESULT}`);
    expect((await run()).verdict).toMatchObject({ kind: "result" });
  });

  it("runs any number of jobs in parallel", async () => {
    const { run } = await shell(`read line; id=$(echo "$line" | sed 's/{"id":"\\([^"]*\\).*/\\1/'); sleep 0.5
      echo "{\\"id\\":\\"$id\\",\\"type\\":\\"result\\",\\"score\\":1,\\"data\\":\\"$id\\"}"`);
    const begun = performance.now();
    const ids = Array.from({ length: 8 }, (_, i) => `parallel-${i}`);
    const all = await Promise.all(ids.map((id) => run({ id })));
    expect(all.map(({ verdict }) => verdict.kind === "result" && verdict.result.data)).toEqual(ids);
    expect(performance.now() - begun).toBeLessThan(allowedMs(8 * 500));
  });

  it("may reject a submission, and then exit with any code", async () => {
    const { run } = await shell(`echo '{"id":"job1","type":"error","message":"row 17: unknown id"}'; exit 1`);
    expect((await run()).verdict).toEqual({ kind: "rejected", message: "row 17: unknown id" });
  });

  it("needs no newline after its last event", async () => {
    const { run } = await shell(`printf '{"id":"job1","type":"result","score":1}'`);
    expect((await run()).verdict).toMatchObject({ kind: "result" });
  });

  it("may omit the score in functions other than submit", async () => {
    const { run } = await shell(`echo '{"id":"job1","type":"result","data":{"y":2}}'`, {
      functions: ["submit", "evaluate"],
    });
    expect((await run({ function: "evaluate" })).verdict).toMatchObject({
      kind: "result",
      result: { data: { y: 2 } },
    });
  });
});

describe("a failing batch evaluator", () => {
  it.each([
    ["crashes", "echo secret /srv/answers >&2; exit 3", "evaluator_crashed", /exit code 3/],
    ["crashes after its result", `${RESULT}; exit 1`, "evaluator_crashed", /after its result/],
    ["is killed by a signal", "kill -SEGV $$", "evaluator_crashed", /SIGSEGV/],
    ["is killed for its memory by the kernel", "kill -KILL $$", "evaluator_memory", /SIGKILL/],
    ["ends silently", "exit 0", "evaluator_silent", /exit code 0/],
    ["closes its output and ends silently", "exec >&-; exit 0", "evaluator_silent", /exit code 0/],
    ["cannot be found", "exec /no/such/program", "evaluator_crashed", /exit code 127/],
    [
      "breaks off in the middle of a line",
      `printf '{"id":"job1","type":"res'; exit 1`,
      "evaluator_crashed",
      /exit code 1/,
    ],
    ["prints rubbish", `echo 'accuracy: 0.9'; ${RESULT}`, "evaluator_output", /accuracy/],
    ["prints bytes that are not text", `printf '\\377\\376\\n'; ${RESULT}`, "evaluator_output", /UTF-8/],
    [
      "prints JSON that is not an event",
      `echo '[1]'; ${RESULT}`,
      "evaluator_output",
      /not an object with an id/,
    ],
    [
      "prints an event without an id",
      `echo '{"type":"result","score":1}'`,
      "evaluator_output",
      /not an object with an id/,
    ],
    ["prints an unknown event", `echo '{"id":"job1","type":"grade"}'`, "evaluator_output", /invalid event/],
    [
      "names another job",
      `echo '{"id":"job2","type":"result","score":1}'`,
      "evaluator_output",
      /another job/,
    ],
    ["gives two results", `${RESULT}; ${RESULT}`, "evaluator_output", /after the result/],
    [
      "gives a result after an error",
      `echo '{"id":"job1","type":"error","message":"x"}'; ${RESULT}`,
      "evaluator_output",
      /after/,
    ],
    ["goes on after its result", `${RESULT}; sleep 0.2; echo bye`, "evaluator_output", /bye/],
    ["ends its result with half a line", `${RESULT}; printf '{"id"'`, "evaluator_output", /after the result/],
    ["scores NaN", `echo '{"id":"job1","type":"result","score":NaN}'`, "evaluator_score", /NaN/],
    [
      "scores minus infinity",
      `echo '{"id":"job1","type":"result","score":-Infinity}'`,
      "evaluator_score",
      /Infinity/,
    ],
    [
      "scores more than a number holds",
      `echo '{"id":"job1","type":"result","score":1e999}'`,
      "evaluator_score",
      /score/,
    ],
    ["scores a text", `echo '{"id":"job1","type":"result","score":"0.9"}'`, "evaluator_score", /"0.9"/],
    [
      "scores an integer that no double holds",
      `echo '{"id":"job1","type":"result","score":9007199254740993}'`,
      "evaluator_score",
      /score is 9007199254740993/,
    ],
    ["scores nothing", `echo '{"id":"job1","type":"result"}'`, "evaluator_score", /missing/],
    ["scores null", `echo '{"id":"job1","type":"result","score":null}'`, "evaluator_score", /missing/],
    [
      "has a NaN beside its score",
      `echo '{"id":"job1","type":"result","score":1,"score_secondary":NaN}'`,
      "evaluator_score",
      /NaN/,
    ],
    [
      "nests without end",
      `printf '{"id":"job1","type":"log","message":'; head -c 200000 /dev/zero | tr '\\0' '['; echo`,
      "evaluator_output",
      /nested/,
    ],
  ])("that %s fails with its code", async (_, script, code, detail) => {
    const { run } = await shell(script);
    const { verdict } = await run();
    expect(verdict).toMatchObject({ kind: "failure", code, detail: expect.stringMatching(detail) });
  });

  it("may return a final score, which no failure repeats", async () => {
    const result = (fields: string) => `echo '{"id":"job1","type":"result","score":0.5,${fields}'`;
    const { run } = await shell(result('"score_final":0.25}'));
    expect((await run()).verdict).toMatchObject({
      kind: "result",
      result: { score: 0.5, score_final: 0.25 },
    });
    for (const [fields, detail] of [
      ['"score_final":"7,31"}', "score_final is not a number"],
      ['"score_final":{"mean":7.31}}', "score_final is not a number"],
      ['"score_final":NaN}', "score_final is NaN or Infinity"],
      ['"score_final":"7.31, 7.31",}', '"score_final": (hidden)'],
      ['"score_final": 7.31, "data":', '"score_final": (hidden), "data"'],
    ]) {
      const { verdict } = await (await shell(result(fields!))).run();
      expect(verdict).toMatchObject({ kind: "failure", detail: expect.stringContaining(detail!) });
      expect(JSON.stringify(verdict)).not.toMatch(/31/);
    }
  });

  it("scores a decimal of any length as a double", async () => {
    const { run } = await shell(`echo '{"id":"job1","type":"result","score":0.12345678901234567890}'`);
    expect((await run()).verdict).toMatchObject({ kind: "result", result: { score: 0.12345678901234568 } });
  });

  it("reveals no paths or stderr to participants, and everything to the organizer", async () => {
    const { run, dir } = await shell(`echo "Traceback in $PWD/private/answers.csv" >&2; exit 1`);
    const { verdict, stderr } = await run();
    expect(verdict).toMatchObject({ message: "The evaluator crashed." });
    expect(stderr).toContain(`${dir}/private/answers.csv`);
  });

  it("that does not exist counts as crashed", async () => {
    const { run } = await makeEvaluator({ command: ["no-such-program-anywhere"] });
    expect((await run()).verdict).toMatchObject({ kind: "failure", code: "evaluator_crashed" });
  });

  it("that hangs is killed in time, with its child processes", async () => {
    const { run, dir } = await shell(
      `trap '' TERM; (trap '' TERM; sleep 60) & echo $! > pids; sleep 60 & echo $! >> pids; echo $$ >> pids; wait; wait`,
      { timeout_seconds: 1.5 },
    );
    const begun = performance.now();
    const { verdict } = await run();
    expect(verdict).toMatchObject({ code: "evaluator_timeout", message: expect.stringContaining("1.5 s") });
    expect(performance.now() - begun).toBeLessThan(allowedMs(5000));
    const pids = (await readFile(join(dir, "pids"), "utf8")).trim().split("\n").map(Number);
    expect(pids).toHaveLength(3);
    for (const pid of pids) expect(await isGone(pid)).toBe(true);
  });

  it("that stopped itself is killed in time", async () => {
    const { run } = await shell("kill -STOP $$", { timeout_seconds: 0.3 });
    expect((await run()).verdict).toMatchObject({ code: "evaluator_timeout" });
  });

  it.each([
    ["without a new line", "exec cat /dev/zero", /a line of more than/],
    ["in rubbish lines", "exec yes", /y/],
    ["in empty lines", "exec yes ''", /more than 1000000 lines/],
    [
      "in valid events",
      `exec yes '{"id":"job1","type":"progress","percent":1,"message":"${"x".repeat(200)}"}'`,
      /more than 67108864 bytes/,
    ],
  ])("that prints gigabytes %s is stopped early, in bounded memory", async (_, script, detail) => {
    const { run } = await shell(script);
    const before = process.memoryUsage().rss;
    const begun = performance.now();
    const { verdict } = await run();
    expect(verdict).toMatchObject({ code: "evaluator_output", detail: expect.stringMatching(detail) });
    expect(performance.now() - begun).toBeLessThan(allowedMs(15_000));
    expect(process.memoryUsage().rss - before).toBeLessThan(4 * MAX_OUTPUT_BYTES);
  });

  it("that floods stderr continues, and its last lines are kept", async () => {
    const { run } = await shell(`head -c 100000000 /dev/zero >&2; echo 'the very end' >&2; ${RESULT}`);
    const { verdict, stderr } = await run();
    expect(verdict).toMatchObject({ kind: "result" });
    expect(stderr).toContain("the very end");
    expect(stderr.length).toBeLessThan(70_000);
  });

  it("that exceeds its memory limit fails with evaluator_memory", async () => {
    const { run } = await makeEvaluator({
      command: ["python3", "-c", "x = bytearray(1 << 30)"],
      memory_mb: 128,
    });
    expect((await run()).verdict).toMatchObject({ code: "evaluator_memory" });
  });

  it("runs Node.js under a memory limit, although Node.js reserves far more than it uses", async () => {
    const program = `console.log('{"id":"job1","type":"result","score":1}')`;
    const { run } = await makeEvaluator({ command: ["node", "-e", program], memory_mb: 1024 });
    expect((await run()).verdict).toMatchObject({ kind: "result" });
  });
});

describe("a batch evaluator that lingers after its result", () => {
  it("is killed soon, and its result counts", async () => {
    const { run, dir } = await shell(`${RESULT}; echo $$ > pid; trap '' TERM; while :; do sleep 60; done`);
    const begun = performance.now();
    expect((await run()).verdict).toMatchObject({ kind: "result" });
    expect(performance.now() - begun).toBeLessThan(allowedMs(6000));
    expect(await isGone(Number(await readFile(join(dir, "pid"), "utf8")))).toBe(true);
  });

  it("does not wait for a child that holds its output open", async () => {
    const { run, dir } = await shell(`sleep 60 & echo $! > pid; ${RESULT}`);
    const begun = performance.now();
    expect((await run()).verdict).toMatchObject({ kind: "result" });
    expect(performance.now() - begun).toBeLessThan(allowedMs(2000));
    expect(await isGone(Number(await readFile(join(dir, "pid"), "utf8")))).toBe(true);
  });

  it("does not wait for a child that left its process group", async () => {
    const { run, dir } = await shell(`setsid sh -c 'echo $$ > pid; exec sleep 60' & sleep 0.2; ${RESULT}`);
    const begun = performance.now();
    expect((await run()).verdict).toMatchObject({ kind: "result" });
    expect(performance.now() - begun).toBeLessThan(allowedMs(3000));
    process.kill(Number(await readFile(join(dir, "pid"), "utf8")));
  });
});

describe("aborting", () => {
  it("kills the process group and returns no verdict", async () => {
    const { run, dir } = await shell(
      `sleep 60 & echo "$! $$" > pids; echo '{"id":"job1","type":"log","message":"here"}'; wait`,
    );
    const controller = new AbortController();
    const running = run({
      signal: controller.signal,
      onEvent: () => controller.abort(new Error("cancelled")),
    });
    await expect(running).rejects.toThrow("cancelled");
    for (const pid of (await readFile(join(dir, "pids"), "utf8")).trim().split(" "))
      expect(await isGone(Number(pid))).toBe(true);
  });
});
