import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { useCommandLine } from "../../test/command-line.ts";
import { jsonLines, type RunOptions } from "../../test/run-cli.ts";

const cli = useCommandLine({
  challenge: { functions: ["submit", "evaluate", "explain"] },
  env: { CROWDAI_CHALLENGE: "iris" },
});
beforeEach(() => {
  cli.broker.grader = ({ intent }) => {
    const data = intent.input.kind === "inline" ? intent.input.data : null;
    if (data === "bad") return { error: { code: "rejected", message: "bad value" } };
    return intent.function === "explain" ? { data: { because: data } } : { score: Number(data) };
  };
});
const run = (args: string[], options?: Partial<RunOptions>) => cli.run(["evaluate", ...args], options);

it("prints the score, or the data where there is some", async () => {
  expect(await run(["--json", "5"])).toMatchObject({ code: 0, stdout: "5\n" });
  expect(await run(["--json", "[5]", "--function", "explain"])).toMatchObject({
    stdout: '{"because":[5]}\n',
  });
});

it("takes a file and standard input", async () => {
  await writeFile(join(cli.folder, "x.json"), "7");
  expect((await run(["x.json"])).stdout).toBe("7\n");
  expect((await run(["-"], { stdin: "8" })).stdout).toBe("8\n");
  expect((await run(["-"], { stdin: "8," })).code).toBe(4);
});

it("grades the items of an array in parallel and answers in order", async () => {
  expect((await run(["--json", "[3, 1, 2]", "--parallel"])).stdout).toBe("3\n1\n2\n");
  const { stdout } = await run(["--json", "[3, 1]", "--parallel", "--format", "json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    schema_version: 1,
    function: "evaluate",
    answers: [
      { ok: true, score: 3 },
      { ok: true, score: 1 },
    ],
  });
  const lines = await run(["--json", "[3, 1]", "--parallel", "--format", "ndjson"]);
  expect(jsonLines(lines.stdout)).toMatchObject([
    { type: "answer", index: 0, score: 3 },
    { index: 1, score: 1 },
  ]);
});

it("prints every answer when one fails, and exits with 6", async () => {
  const { code, stdout, stderr } = await run(["--json", '[3, "bad", 1]', "--parallel"]);
  expect(code).toBe(6);
  expect(stdout).toBe("3\nerror[rejected]: bad value\n1\n");
  expect(stderr).toContain("1 of 3 calls failed. First failure: bad value");
  const json = await run(["--json", '[3, "bad"]', "--parallel", "--format", "json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    answers: [{ ok: true }, { ok: false, error: { code: "rejected" } }],
    exit_code: 6,
  });
});

it.each([
  [["--json", "1", "--parallel"], 2],
  [["--json", "1", "--function", "predict"], 2],
  [["--json", "1", "--round", "9"], 2],
  [["--json", "1,"], 4],
  [[], 2],
])("refuses %j with exit code %i and calls nothing", async (args, expected) => {
  expect((await run(args)).code).toBe(expected);
  expect(cli.broker.kept.size).toBe(0);
});

it("exits with 8 when the answer takes too long", async () => {
  cli.broker.grader = null;
  expect((await run(["--json", "1", "--timeout", "0.05"])).code).toBe(8);
});

it("exits with 7 where a score is worse than --min-score, after every answer", async () => {
  expect(await run(["--json", "0.9", "--min-score", "0.9"])).toMatchObject({ code: 0, stdout: "0.9\n" });
  const one = await run(["--json", "0.5", "--min-score", "0.9"]);
  expect(one).toMatchObject({ code: 7, stdout: "0.5\n" });
  expect(one.stderr).toContain("error[below_minimum]: Accuracy 0.5 is below --min-score 0.9.");
  const many = await run([
    "--json",
    "[0.9, 0.5, 0.1]",
    "--parallel",
    "--min-score",
    "0.9",
    "--format",
    "json",
  ]);
  expect(many.code).toBe(7);
  expect(JSON.parse(many.stdout)).toMatchObject({ answers: [{ score: 0.9 }, {}, {}], exit_code: 7 });
  expect(many.stderr).toContain("2 of 3 answers do not meet the minimum. First: Accuracy 0.5 is below");
  const failed = await run(["--json", '["bad", 0.1]', "--parallel", "--min-score", "0.9"]);
  expect(failed.code).toBe(6);
  const none = await run(["--json", "[5]", "--function", "explain", "--min-score", "0.9"]);
  expect(none.code).toBe(7);
  expect(none.stderr).toContain("There is no score to compare with --min-score 0.9.");
});
