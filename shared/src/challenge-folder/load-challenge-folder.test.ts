import { chmod, mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadChallengeFolder } from "./load-challenge-folder.ts";
import { createTestChallenge, createTestFolder, MINIMAL, problemsOf } from "./testing/test-folder.ts";

/** The lines of the refusal of a challenge.json. */
async function told(config: object | string, files: Parameters<typeof createTestChallenge>[1] = {}) {
  const { lines } = await problemsOf(loadChallengeFolder(await createTestChallenge(config, files)));
  return lines.map((line) => line.replace(/^ {2}challenge\.json: /, ""));
}

describe("a challenge folder", () => {
  it("requires only id, title, score and evaluator, and has defaults for the rest", async () => {
    const dir = await createTestChallenge();
    const { config, data, version, ...rest } = await loadChallengeFolder(dir);
    expect(rest).toEqual({ dir });
    expect(data).toEqual([]);
    expect(version).toMatch(/^[0-9a-f]{16}$/);
    expect(config).toMatchObject({
      id: "iris",
      score: { title: "Score", order: "descending", precision: 3 },
      score_secondary: null,
      rounds: [{ id: "1", title: "Round 1", starts_at: null, ends_at: null, limit: null }],
      accepts: { file: { extensions: [] }, json: { schema: true } },
      evaluator: { mode: "batch", functions: ["submit"], timeout_seconds: 600, sandbox: "none" },
      visibility: { leaderboard: true, private: false },
      after_end: "reject",
    });
  });

  it("may name columns for the leaderboard, each entry once, and how many submissions are selected", async () => {
    const { config } = await loadChallengeFolder(
      await createTestChallenge({ ...MINIMAL, columns: [{ key: "f1" }], final: {} }),
    );
    expect(config.columns).toEqual([{ key: "f1", order: "descending", precision: 3 }]);
    expect(config.final).toEqual({ select: 2 });
    const columns = [{ key: "f1" }, { key: "f1", title: "F1" }, { key: "a", precision: 16 }];
    expect(await told({ ...MINIMAL, columns, final: { select: 0 } })).toEqual([
      "columns[2].precision: expected a whole number from 0 to 15, got 16",
      "final.select: expected a whole number from 1 to 20, got 0",
      'columns[1].key: expected a unique key, got "f1"',
    ]);
  });

  it("may name the schema that editors use for completion", async () => {
    await loadChallengeFolder(await createTestChallenge({ $schema: "./challenge.schema.json" }));
  });

  it("may start with a byte-order mark", async () => {
    await loadChallengeFolder(await createTestChallenge(`\ufeff${JSON.stringify(MINIMAL)}`));
  });

  it("has its rounds in order of start, in any time zone, one without a start first", async () => {
    const rounds = [
      { id: "third", starts_at: "2026-03-01T00:00:00Z" },
      { id: "second", starts_at: "2026-03-01T01:00:00+02:00" },
      { id: 1 },
    ];
    const { config } = await loadChallengeFolder(await createTestChallenge({ rounds }));
    expect(config.rounds.map(({ id }) => id)).toEqual(["1", "second", "third"]);
  });

  it("must have titles of one line that read as they are written", async () => {
    for (const [config, path] of [
      [{ title: "Iris\u001b[2J" }, "title"],
      [{ score: { title: "Sc\u202eore" } }, "score.title"],
      [{ rounds: [{ id: "1", title: "a\nb" }] }, "rounds[0].title"],
    ] as const) {
      const [line] = await told({ ...MINIMAL, ...config });
      expect(line).toMatch(path);
      expect(line).toContain("character");
    }
    await loadChallengeFolder(await createTestChallenge({ title: "زهرة السوسن 🌸" }));
  });

  it("may have a round that requires a score in the previous round", async () => {
    const rounds = [{ id: "b", starts_at: "2026-03-01T00:00:00Z", minimum_score: 0.5 }, { id: "a" }];
    await loadChallengeFolder(await createTestChallenge({ rounds }));
  });

  it("may run an evaluator class with positional or named arguments", async () => {
    const files = { "evaluator.py": "class Evaluator: pass\n" };
    for (const args of [["private/a.csv", 3], { answers: "private/a.csv" }]) {
      const evaluator = { python_class: "evaluator.py:Evaluator", args };
      const { config } = await loadChallengeFolder(await createTestChallenge({ evaluator }, files));
      expect(config.evaluator).toMatchObject({ ...evaluator, python: "python3", fresh: false });
    }
  });

  it("may run programs on the PATH, its own programs, and others on the grader's machine", async () => {
    const dir = await createTestChallenge(
      { evaluator: { command: ["./bin/run", "--out", "scores.json"] } },
      { "bin/run": "" },
    );
    await chmod(join(dir, "bin/run"), 0o755);
    await loadChallengeFolder(dir);
    await loadChallengeFolder(
      await createTestChallenge({ evaluator: { command: ["/opt/metrics/run", "-m", "metrics"] } }),
    );
  });
});

describe("the error of an invalid challenge folder", () => {
  it("names the folder and lists all problems at once: of types, of contents and of files", async () => {
    const dir = await createTestChallenge(
      {
        id: "my iris",
        titel: "Iris",
        score: { order: "up" },
        rounds: [
          { id: "a", limit: { count: "three", per: "day" } },
          { id: "a", starts_at: "2026-01-02T00:00:00Z", ends_at: "2026-01-01T00:00:00Z" },
        ],
        evaluator: { command: ["python3", "evalute.py"], timeout_seconds: -1 },
      },
      { "public/answers.csv": { link: "../private/answers.csv" }, "private/answers.csv": "1\n" },
    );
    const { first, lines, details } = await problemsOf(loadChallengeFolder(dir));
    expect(first).toBe("iris has 9 problems:");
    expect(lines).toEqual([
      '  challenge.json: id: expected letters, digits, _ . or -, starting with a letter or digit, got "my iris"',
      '  challenge.json: score.order: expected "descending" or "ascending", got "up"',
      '  challenge.json: rounds[0].limit.count: expected a whole number of at least 1, got "three"',
      "  challenge.json: evaluator.timeout_seconds: expected a number above 0, at most 604800, got -1",
      '  challenge.json: titel: expected a known field; did you mean "title"?',
      '  challenge.json: rounds[1].id: expected a unique id, got "a", which rounds[0] also has',
      '  challenge.json: rounds[1].ends_at: expected a time after starts_at (2026-01-02T00:00:00Z), got "2026-01-01T00:00:00Z"',
      '  challenge.json: evaluator.command[1]: expected a file in the challenge folder, got "evalute.py", which does not exist',
      "  public/answers.csv: expected a file in public/, got a link that leads out of public/",
    ]);
    expect(details).toHaveLength(9);
    expect(details[2]).toEqual({
      file: "challenge.json",
      field: "rounds[0].limit.count",
      expected: "a whole number of at least 1",
      got: '"three"',
    });
  });

  it.each<[string, string, string]>([
    ["nothing in it", "", "line 1, column 1: expected a value, got the end of the text"],
    [
      "a comma too many",
      '{\n  "id": "iris",\n}',
      'line 3, column 1: expected a property name in double quotes, got "}"',
    ],
    [
      "a comment",
      '{ // mine\n  "id": "iris" }',
      'line 1, column 3: expected a property name in double quotes, got "/"',
    ],
    [
      "NaN",
      '{"id": "iris",\n "score": NaN}',
      'line 2, column 11: expected a number that JSON can represent, got "NaN"',
    ],
    [
      "brackets without end",
      "[".repeat(100_000),
      "expected JSON, got challenge.json is nested deeper than 100 levels.",
    ],
    ["a list", "[]", "expected an object, got an empty list"],
    ["null", "null", "expected an object, got null"],
    ["a number", "3", "expected an object, got 3"],
  ])("with %s as challenge.json says where it ends to be one", async (_, text, line) => {
    expect(await told(text)).toEqual([line]);
  });

  it.each<[string, object, string[]]>([
    [
      "no kind of evaluator",
      {},
      [
        'evaluator: expected one of "command", "python_class", "gym", "job_factory", "codabench", "evalai", "kaggle", got none',
      ],
    ],
    [
      "both",
      { command: ["python3"], python_class: "evaluate.py:Evaluator" },
      [
        'evaluator: expected one of "command", "python_class", "gym", "job_factory", "codabench", "evalai", "kaggle", got "command" and "python_class"',
      ],
    ],
    [
      "a misspelt class",
      { python_clas: "evaluate.py:Evaluator" },
      [
        'evaluator: expected one of "command", "python_class", "gym", "job_factory", "codabench", "evalai", "kaggle", got "python_clas"; did you mean "python_class"?',
      ],
    ],
    [
      "a command in one text",
      { command: "python3 evaluate.py" },
      ['evaluator.command: expected a non-empty list, got "python3 evaluate.py"'],
    ],
    [
      "an empty command",
      { command: [] },
      ["evaluator.command: expected a non-empty list, got an empty list"],
    ],
    [
      "a number as an argument",
      { command: ["python3", 3] },
      ["evaluator.command[1]: expected non-empty text, got 3"],
    ],
    [
      "fields of the other kind",
      { command: ["python3", "evaluate.py"], args: [] },
      [
        "evaluator.args: expected a known field (command, mode, functions, timeout_seconds, memory_mb, sandbox)",
      ],
    ],
    [
      "an invalid class",
      { python_class: "evaluate.py", sandbox: "docker" },
      [
        'evaluator.python_class: expected a file and a class, such as "evaluator.py:Evaluator", got "evaluate.py"',
        'evaluator.sandbox: expected "none" or "bubblewrap", got "docker"',
      ],
    ],
    [
      "a job factory without its lists, and with a command's field",
      { job_factory: { redis: "localhost:6379" }, sandbox: "none" },
      [
        'evaluator.job_factory.redis: expected the URL of a Redis server, such as "redis://host:6379/0", got "localhost:6379"',
        "evaluator.job_factory.namespace: expected non-empty text, got nothing",
        "evaluator.sandbox: expected a known field (job_factory, functions, timeout_seconds, score_timeout_seconds)",
      ],
    ],
    [
      "a class whose file is not there",
      { python_class: "evaluator.py:Evaluator" },
      [
        'evaluator.python_class: expected a file in the challenge folder, got "evaluator.py", which does not exist',
      ],
    ],
    [
      "a program that is not there",
      { command: ["./run"] },
      ['evaluator.command[0]: expected a file in the challenge folder, got "./run", which does not exist'],
    ],
    [
      "a program that may not be executed",
      { command: ["./evaluate.py"] },
      ['evaluator.command[0]: expected an executable file (chmod +x), got "./evaluate.py"'],
    ],
    [
      "a script that is not a program on the PATH",
      { command: ["evaluate.py"] },
      ['evaluator.command[0]: expected a program on the PATH, or "./evaluate.py", got "evaluate.py"'],
    ],
    [
      "functions that do not take submissions",
      { command: ["python3", "evaluate.py"], functions: ["score", "score"] },
      [
        'evaluator.functions: expected each name once, got "score" twice',
        'evaluator.functions: expected "submit" among the names, got "score", "score"',
      ],
    ],
  ])("with an evaluator that has %s says so", async (_, evaluator, lines) => {
    expect(await told({ evaluator })).toEqual(lines);
  });

  it("reports an evaluator whose first line ends as on Windows", async () => {
    const dir = await createTestChallenge(
      { evaluator: { command: ["./evaluate.py"] } },
      { "evaluate.py": "#!/usr/bin/env python3\r\nprint(1)\r\n" },
    );
    await chmod(join(dir, "evaluate.py"), 0o755);
    const { lines } = await problemsOf(loadChallengeFolder(dir));
    expect(lines).toEqual([expect.stringContaining("./evaluate.py: line 1: expected a line that ends")]);
  });

  it("reports an evaluator that is not an object", async () => {
    expect(await told({ evaluator: "evaluate.py" })).toEqual([
      'evaluator: expected an object, got "evaluate.py"',
    ]);
  });

  it.each<[string, object, string[]]>([
    [
      "an unknown field, suggesting the one meant",
      { visibility: { leaderbord: true } },
      ['visibility.leaderbord: expected a known field; did you mean "leaderboard"?'],
    ],
    [
      "an unknown field, listing those there are",
      { code: { mode: "off" } },
      ["code.mode: expected a known field (capture, to_graders)"],
    ],
    [
      "a field named like a part of the language",
      JSON.parse('{"code": {"constructor": 1}}'),
      ["code.constructor: expected a known field (capture, to_graders)"],
    ],
    [
      "a time without a zone",
      { rounds: [{ id: "a", starts_at: "2026-01-01 12:00" }] },
      [
        'rounds[0].starts_at: expected an ISO 8601 time with time zone, such as 2026-11-23T12:00:00Z, got "2026-01-01 12:00"',
      ],
    ],
    ["no rounds", { rounds: [] }, ["rounds: expected a non-empty list, got an empty list"]],
    [
      "a limit without a period",
      { rounds: [{ id: "a", limit: { count: 5 } }] },
      ['rounds[0].limit.per: expected "day" or "week" or "round", got nothing'],
    ],
    [
      "a limit of another type",
      { rounds: [{ id: "a", limit: 5 }] },
      ["rounds[0].limit: expected an object, or null, got 5"],
    ],
    [
      "a number and a text as the same id",
      { rounds: [{ id: 1 }, { id: "1" }] },
      ['rounds[1].id: expected a unique id, got "1", which rounds[0] also has'],
    ],
    [
      "a round that ends when it starts",
      { rounds: [{ id: "a", starts_at: "2026-01-01T01:00:00+01:00", ends_at: "2026-01-01T00:00:00Z" }] },
      [
        'rounds[0].ends_at: expected a time after starts_at (2026-01-01T01:00:00+01:00), got "2026-01-01T00:00:00Z"',
      ],
    ],
    [
      "a first round that asks for an earlier score",
      {
        rounds: [
          { id: "b", starts_at: "2026-02-01T00:00:00Z" },
          { id: "a", minimum_score: 0.5 },
        ],
      },
      ["rounds[1].minimum_score: expected no value in the first round, which has no previous round, got 0.5"],
    ],
    ["nothing accepted", { accepts: {} }, ['accepts: expected "file" or "json", or both, got neither']],
    [
      "code alone accepted",
      { accepts: { code: {} } },
      ['accepts: expected "file" or "json", or both, or "run", which runs the submitted code, got neither'],
    ],
    [
      "an extension without its dot",
      { accepts: { file: { extensions: ["csv"] } } },
      ['accepts.file.extensions[0]: expected an extension with its dot, such as ".csv", got "csv"'],
    ],
    [
      "a schema with an unknown type",
      { accepts: { json: { schema: { items: [], properties: { p: { type: "lst" } } } } } },
      expect.arrayContaining([
        expect.stringMatching(
          /^accepts\.json\.schema\.properties\.p\.type: expected one of "array".* got "lst"$/,
        ),
      ]),
    ],
    [
      "a schema with a misspelt rule",
      { accepts: { json: { schema: { requierd: ["p"] } } } },
      ['accepts.json.schema: expected a valid JSON Schema: unknown keyword: "requierd"'],
    ],
    [
      "more decimals than a number has",
      { score: { precision: 20 } },
      ["score.precision: expected a whole number from 0 to 15, got 20"],
    ],
    ["an empty title", { title: "" }, ['title: expected non-empty text, got ""']],
  ])("with %s says so", async (_, config, lines) => {
    expect(await told(config)).toEqual(lines);
  });

  it("reports a missing challenge.json", async () => {
    const { lines } = await problemsOf(loadChallengeFolder(await createTestFolder()));
    expect(lines).toEqual(["  challenge.json: expected a readable file, got none"]);
  });

  it("reports a challenge.json that is a folder, not text, or too large", async () => {
    const dir = await createTestChallenge();
    await rm(join(dir, "challenge.json"));
    await mkdir(join(dir, "challenge.json"));
    expect((await problemsOf(loadChallengeFolder(dir))).lines).toEqual([
      "  challenge.json: expected a file, got something else",
    ]);
    const files = { "challenge.json": new Uint8Array([0x22, 0xff, 0x22]) };
    expect(await told({}, files)).toEqual(["expected UTF-8 text, got invalid bytes"]);
    expect(await told(" ".repeat(4 * 1024 * 1024 + 1))).toEqual([
      "expected at most 4194304 bytes, got 4194305",
    ]);
  });

  it("reports an unreadable private file, without which nothing can be graded", async () => {
    const dir = await createTestChallenge();
    // A file whose bytes not even root may read from its beginning.
    await symlink("/proc/self/mem", join(dir, "answers.csv"));
    const { lines } = await problemsOf(loadChallengeFolder(dir));
    expect(lines).toEqual(["  answers.csv: expected a readable file, got EIO"]);
  });

  it("shortens a very long value, and escapes control characters", async () => {
    const [line = ""] = await told({ after_end: `\u001b[2J${"x".repeat(100_000)}` });
    expect(line).toMatch(/^after_end: expected "accept" or "reject", got "\\u001b\[2Jxxx/);
    expect(line.length).toBeLessThan(200);
  });
});
