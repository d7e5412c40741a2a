import { describe, expect, it } from "vitest";
import { gradingSeconds } from "./grading-seconds.ts";
import { loadChallengeFolder } from "./load-challenge-folder.ts";
import { createTestChallenge, problemsOf } from "./testing/test-folder.ts";

const RUN = { command: ["python3", "main.py"], output: { path: "predictions.csv" } };
const FILES = {
  "private/input/test.csv": "1\n",
  "private/input.jsonl": "1\n",
  "public/sample/test.csv": "2\n",
  "packages/a.whl": "",
};

const load = async (run: object, rest: object = {}) =>
  (await loadChallengeFolder(await createTestChallenge({ ...rest, run: { ...RUN, ...run } }, FILES))).config;

/** The lines of the refusal of a challenge.json with this `run`. */
async function refusal(run: unknown, rest: object = {}) {
  const { lines } = await problemsOf(loadChallengeFolder(await createTestChallenge({ ...rest, run }, FILES)));
  return lines.map((line) => line.replace(/^ {2}challenge\.json: /, ""));
}

describe("a challenge with run", () => {
  it("takes code alone, which it requires, and has defaults for the rest", async () => {
    const config = await load({});
    expect(config.accepts).toEqual({
      code: { max_bytes: 50 * 1024 * 1024 },
      model: expect.objectContaining({ max_bytes: expect.any(Number) }),
    });
    expect(config.code).toEqual({ capture: "required", to_graders: false });
    expect(config.run).toMatchObject({
      ...{ image: "host", build: "auto", packages: null, input: null, sample: null, logs: "sample" },
      limits: { wall_seconds: 600, cpu_seconds: null, memory_mb: 2048, processes: 128, build_seconds: 600 },
    });
  });

  it("may limit the code, take no models, and repeat that code is required", async () => {
    const accepts = { code: { max_bytes: 100 }, model: null };
    const config = await load({}, { accepts, code: { capture: "required" } });
    expect(config.accepts).toEqual(accepts);
  });

  it("may name its folders, with or without a slash at the end", async () => {
    const named = { input: "private/input/", sample: "./public/sample", packages: "packages/" };
    expect((await load(named)).run).toMatchObject(named);
    await load({ input: "private/input.jsonl", output: { lines: true, feed: "one" } });
    await load({ image: { path: "packages", sha256: "0".repeat(64) } });
  });

  it("is graded for at most the time of all its stages", async () => {
    const limits = { wall_seconds: 10, build_seconds: 100 };
    const seconds = async (run: object) => gradingSeconds(await load({ limits, ...run }));
    expect(await seconds({ build: null })).toBe(10 + 600);
    expect(await seconds({})).toBe(100 + 10 + 600);
    expect(await seconds({ sample: "public/sample" })).toBe(100 + 10 + 10 + 600);
  });

  it.each<[string, object, string]>([
    [
      "files",
      { accepts: { file: {} } },
      "accepts.file: expected no such field, because a challenge with run",
    ],
    ["JSON values", { accepts: { json: {} } }, "accepts.json: expected no such field, because"],
    [
      "no code",
      { code: { capture: "off" } },
      'code.capture: expected "required", which run implies, got "off"',
    ],
    [
      "a job factory",
      { evaluator: { job_factory: { redis: "redis://localhost", namespace: "iris" } } },
      "run: expected an evaluator that graders start, which gets the output, got a job factory",
    ],
    [
      "other functions",
      { evaluator: { command: ["python3", "evaluate.py"], functions: ["submit", "small_test"] } },
      'evaluator.functions: expected "submit" alone, because a challenge with run takes code alone, got "small_test"',
    ],
  ])("cannot have %s", async (_, rest, line) => {
    expect(await refusal(RUN, rest)).toEqual([expect.stringContaining(line)]);
  });

  it.each<[string, unknown, string[]]>([
    ["text", "yes", ['run: expected an object, or null, got "yes"']],
    ["no output", { command: ["main"] }, ["run.output: expected an object, got nothing"]],
    [
      "an output of no kind",
      { ...RUN, output: {} },
      ['run.output: expected one of "path", "lines", got none'],
    ],
    [
      "an output of a misspelt kind",
      { ...RUN, output: { pth: "a.csv" } },
      ['run.output: expected one of "path", "lines", got "pth"; did you mean "path"?'],
    ],
    [
      "an output of both kinds",
      { ...RUN, output: { path: "a.csv", lines: true } },
      ['run.output: expected one of "path", "lines", got "path" and "lines"'],
    ],
    [
      "a file that is fed",
      { ...RUN, output: { path: "a.csv", feed: "one" } },
      ["run.output.feed: expected a known field (path, max_bytes)"],
    ],
    [
      "lines that are not",
      { ...RUN, output: { lines: false } },
      ["run.output.lines: expected true, got false"],
    ],
    [
      "an unknown feed",
      { ...RUN, output: { lines: true, feed: "two" } },
      ['run.output.feed: expected "all" or "one", got "two"'],
    ],
    [
      "an output elsewhere",
      { ...RUN, output: { path: "../a.csv" } },
      ['run.output.path: expected a path below /out, got "../a.csv"'],
    ],
    ["an empty path", { ...RUN, output: { path: "" } }, ['run.output.path: expected non-empty text, got ""']],
    [
      "an unknown image",
      { ...RUN, image: "debian:12" },
      ['run.image: expected "host", or an object, got "debian:12"'],
    ],
    [
      "an image without a path",
      { ...RUN, image: { pth: "image" } },
      [
        "run.image.path: expected non-empty text, got nothing",
        'run.image.pth: expected a known field; did you mean "path"?',
      ],
    ],
    [
      "an image whose digest is none",
      { ...RUN, image: { path: "packages", sha256: "abc" } },
      ['run.image.sha256: expected 64 lowercase hexadecimal digits, got "abc"'],
    ],
    [
      "a command in one text",
      { ...RUN, command: "python3 main.py" },
      ['run.command: expected "submission", or a non-empty list, got "python3 main.py"'],
    ],
    [
      "a build in one text",
      { ...RUN, build: "make" },
      ['run.build: expected "auto", or a non-empty list, or null, got "make"'],
    ],
    [
      "a number in its build",
      { ...RUN, build: ["make", 3] },
      ["run.build[1]: expected non-empty text, got 3"],
    ],
    [
      "an unknown limit",
      { ...RUN, limits: { wall: 3 } },
      ['run.limits.wall: expected a known field; did you mean "wall_seconds"?'],
    ],
    [
      "unknown logs",
      { ...RUN, logs: "some" },
      ['run.logs: expected "none" or "sample" or "all", got "some"'],
    ],
    [
      "files that are missing, elsewhere, or of another kind",
      { ...RUN, input: "private/none", sample: "../sample", packages: "evaluate.py", image: { path: "." } },
      [
        'run.input: expected a folder of the challenge folder, got "private/none", which does not exist',
        'run.sample: expected a folder of the challenge folder, got "../sample", which leads out of it',
        'run.packages: expected a folder of the challenge folder, got "evaluate.py", which is a file',
        'run.image.path: expected a file or folder of the challenge folder, got ".", which is the challenge folder itself',
      ],
    ],
    [
      "lines without an input",
      { ...RUN, output: { lines: true } },
      ["run.input: expected a file of JSON lines, which output.lines answers, got none"],
    ],
    [
      "an input in public/",
      { ...RUN, input: "public/sample" },
      ['run.input: expected a place outside public/, which everyone can download, got "public/sample"'],
    ],
    [
      "a sample and packages that contain the input",
      { ...RUN, input: "private/input", sample: "private", packages: "private/../private/input" },
      [
        'run.sample: expected a place apart from run.input ("private/input"), got "private"',
        'run.packages: expected a place apart from run.input ("private/input"), got "private/../private/input"',
      ],
    ],
  ])("cannot be %s, or have it", async (_, run, lines) => {
    expect(await refusal(run)).toEqual(lines);
  });

  it("reports problems of its files beside those of other fields", async () => {
    expect(await refusal({ ...RUN, input: "none" }, { after_end: "maybe" })).toHaveLength(2);
  });
});
