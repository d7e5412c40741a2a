import { createApiKey } from "@crowdai/shared";
import { afterEach, beforeEach, expect, test } from "vitest";
import { leaderboardOf, limits, publicChallenge } from "../../test/public-challenge.ts";
import { runCli, temporaryFolder } from "../../test/run-cli.ts";
import { gradedSubmission, said } from "../../test/sample-submissions.ts";
import { type ScriptedBroker, startScriptedBroker } from "../../test/scripted-broker.ts";
import { submissionDocument } from "./submission/submission-document.ts";

const KEY = createApiKey();
const TTY = { stdin: true, stdout: true, stderr: true };
const ID = gradedSubmission().id;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let broker: ScriptedBroker;
beforeEach(async () => {
  folder = await temporaryFolder();
  broker = await startScriptedBroker();
});
afterEach(async () => {
  await broker[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
const run = (args: string[], options: Partial<Parameters<typeof runCli>[1]> = {}) =>
  runCli(args, {
    cwd: folder.path,
    ...options,
    env: { CROWDAI_BROKER: broker.url, CROWDAI_API_KEY: KEY, NO_COLOR: "1", ...options.env },
  });

/** Each command with the path that it requests and an answer. */
const COMMANDS: [string[], string, unknown, { json: object; quiet: string[] }][] = [
  [
    ["challenges"],
    "/api/v1/challenges",
    { challenges: [publicChallenge()] },
    { json: { challenges: [publicChallenge()] }, quiet: ["iris"] },
  ],
  [
    ["challenge", "iris"],
    "/api/v1/challenges/iris",
    publicChallenge(),
    { json: { challenge: publicChallenge() }, quiet: ["iris"] },
  ],
  [
    ["leaderboard", "iris"],
    "/api/v1/challenges/iris/leaderboard",
    leaderboardOf([{}, {}]),
    { json: { leaderboard: leaderboardOf([{}, {}]) }, quiet: ["submission1", "submission2"] },
  ],
  [
    ["limits", "iris"],
    "/api/v1/challenges/iris/limits",
    limits(),
    { json: { limits: limits() }, quiet: ["3"] },
  ],
  [
    ["submissions"],
    "/api/v1/submissions",
    { submissions: [gradedSubmission()] },
    { json: { submissions: [gradedSubmission()] }, quiet: [ID] },
  ],
  [
    ["show", ID],
    `/api/v1/submissions/${ID}`,
    gradedSubmission(),
    { json: submissionDocument(gradedSubmission()), quiet: [ID] },
  ],
  [
    ["logs", ID],
    `/api/v1/submissions/${ID}/events`,
    said(),
    { json: { submission: ID, events: said().events.slice(1, 3) }, quiet: [ID] },
  ],
];

test("the JSON of a submission has its result at the top", () => {
  const { id, state, score, score_secondary, rank } = gradedSubmission();
  expect(submissionDocument(gradedSubmission())).toMatchObject({ id, state, score, score_secondary, rank });
});

test.each(COMMANDS)(
  "%j: one JSON document, JSON lines, ids alone, and text",
  async (args, path, answer, expected) => {
    broker.routes[path] = { json: answer };
    const json = await run([...args, "--format", "json"]);
    expect(json.code).toBe(0);
    const { next_steps: next = [], ...document } = JSON.parse(json.stdout);
    expect(document).toEqual({ schema_version: 1, ...expected.json });
    for (const command of next) expect(command).toMatch(/^crowdai /);
    expect(json.stdout).not.toContain("next:");

    const ndjson = (await run([...args, "--format", "ndjson"])).stdout.trim().split("\n");
    for (const line of ndjson)
      expect(JSON.parse(line)).toMatchObject({ schema_version: 1, type: expect.any(String) });

    const quiet = await run([...args, "--quiet"]);
    expect(quiet).toEqual({ code: 0, stdout: `${expected.quiet.join("\n")}\n`, stderr: "" });

    const text = await run(args);
    expect(text.code).toBe(0);
    expect(text.stdout).not.toBe("");
    expect(broker.received.every(({ key }) => key === KEY)).toBe(true);
  },
);

test.each(COMMANDS)("%j: control characters in an answer are not printed", async (args, path, answer) => {
  const nasty = (value: unknown): unknown =>
    typeof value === "string" && !["iris", "2", "day", "current"].includes(value) && !isKeyword(value)
      ? `${value}\u001b]0;pwned\u0007\u009b2J\r\u202e`
      : Array.isArray(value)
        ? value.map(nasty)
        : value !== null && typeof value === "object"
          ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, nasty(item)]))
          : value;
  broker.routes[path] = { json: nasty(answer) };
  // Without a terminal for stderr, on which a slow machine shows a spinner.
  const tty = { ...TTY, stderr: false };
  for (const options of [{}, { tty }, { tty, args: ["--format", "json"] }, { args: ["--quiet"] }]) {
    const { code, stdout, stderr } = await run(
      [...args, ...((options as { args?: string[] }).args ?? [])],
      options,
    );
    expect(code).toBe(0);
    for (const control of "\u001b\u0007\u009b\r\u202e") {
      expect(stdout).not.toContain(control);
      expect(stderr).not.toContain(control);
    }
  }
});

test("challenges names what each challenge takes", async () => {
  broker.routes["/api/v1/challenges"] = { json: { challenges: [publicChallenge()] } };
  expect((await run(["challenges"])).stdout).toBe("iris\tIris\t2\t\tfiles, values\n");
});

test.each(COMMANDS)("%j: an answer of an unexpected shape is an error", async (args, path) => {
  broker.routes[path] = { json: { surprise: true } };
  const { code, stdout, stderr } = await run(args);
  expect(code).not.toBe(0);
  expect(stdout).toBe("");
  expect(stderr).toContain("error[");
});

test.each([["limits", "iris"], ["submissions"], ["show", ID], ["logs", ID], ["whoami"]])(
  "%s needs a key, and says so without asking the broker",
  async (...args) => {
    const { code, stderr } = await run(args, { env: { CROWDAI_API_KEY: undefined } });
    expect(code).toBe(3);
    expect(stderr).toContain("crowdai login");
    expect(broker.received).toEqual([]);
  },
);

test("an unknown challenge is reported with the broker's suggestion", async () => {
  broker.routes["/api/v1/challenges/irsi"] = {
    error: "challenge_unknown",
    message: 'There is no challenge "irsi".',
    details: { suggestion: "iris" },
  };
  const { code, stderr } = await run(["challenge", "irsi"]);
  expect(code).toBe(2);
  expect(stderr).toContain('There is no challenge "irsi".');
  expect(stderr).toContain("Did you mean iris?");
});

test("an id stays a single segment of the path, whatever it contains", async () => {
  expect((await run(["challenge", "../../admin?x=1"])).code).toBe(2);
  expect(broker.received[0]?.path).toBe("/api/v1/challenges/..%2F..%2Fadmin%3Fx%3D1");
});

test("challenge shows rounds, scores, accepted inputs, functions and data", async () => {
  const data = [{ name: "train.csv", size: 4200, sha256: "0".repeat(64), url: "/x" }];
  const waiting = "no grader serves iris since 14:02 UTC";
  broker.routes["/api/v1/challenges/iris"] = { json: publicChallenge({ data, graders: 0, waiting }) };
  const { stdout, stderr } = await run(["challenge"], { env: { CROWDAI_CHALLENGE: "iris" } });
  for (const text of [
    "Tell three flowers apart.",
    "1 Warm-up: ended, ended 2026-01-01",
    "2 Final: open, 5 submissions per day",
    "Accuracy: higher is better",
    "File: .csv, up to 2 MB",
    'Schema: {"type":"array"}',
    "classify",
    "no graders connected: no grader serves iris since 14:02 UTC",
    "train.csv  4.2 kB",
  ])
    expect(stdout).toContain(text);
  expect(stderr).toContain("next: crowdai data iris");
});

test("leaderboard rounds to the challenge's precision, marks the participant and says how many rows it shows", async () => {
  const rows = [{ score: 0.98765, score_secondary: 0.5, you: true, participant: "ada" }, { score: null }];
  broker.routes["/api/v1/challenges/iris/leaderboard"] = { json: leaderboardOf(rows, 12) };
  const piped = await run(["leaderboard", "iris", "--limit", "2", "--round", "2"]);
  expect(piped.stdout).toBe(
    "1\tada\t0.988\t0.50\t1\t2026-11-23T12:00:00Z\t\n2\tp2\t\t\t1\t2026-11-23T12:00:00Z\t\n",
  );
  expect(piped.stderr).toContain("Showing 2 of 12 rows");
  expect(broker.received[0]?.path).toContain("round=2&limit=2");
  const seen = await run(["leaderboard", "iris"], { tty: TTY });
  expect(seen.stdout).toMatch(/^Rank +Moved +Participant +Accuracy +Macro F1 +Entries +Submitted\n/);
  expect(seen.stdout).toContain("ada (you)");
});

test("leaderboard shows columns, and beside final scores the public ones, also where the terminal is narrow", async () => {
  const columns = [{ key: "f1", title: "F1", order: "descending" as const, precision: 1 }];
  const rows = [
    { score: 0.25, score_public: 0.75, rank_before: 3, columns: { f1: 12.34 } },
    { score: 0.2, score_public: 0.8, rank_before: 1, columns: { f1: null } },
  ];
  const answer = { ...leaderboardOf(rows), columns, final: true, score_secondary: null };
  broker.routes["/api/v1/challenges/iris/leaderboard"] = { json: answer };
  const seen = await run(["leaderboard", "iris"], { tty: TTY });
  const cells = seen.stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
  expect(cells[0]?.slice(0, 6)).toEqual(["Rank", "Moved", "Participant", "Accuracy", "Public", "F1"]);
  expect(cells[1]?.slice(2, 6)).toEqual(["p1", "0.250", "0.750", "12.3"]);
  expect(cells[2]?.slice(2, 6)).toEqual(["p2", "0.200", "0.800", "1"]);
  expect(seen.stderr).toContain("Final scores decide this board");
  const narrow = await run(["leaderboard", "iris"], { tty: { ...TTY, columns: 40 } });
  expect(narrow.stdout).toMatch(/0\.250/);
  for (const line of narrow.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(40);
  const piped = await run(["leaderboard", "iris"]);
  expect(piped.stdout.split("\n")[0]?.split("\t").slice(-2)).toEqual(["3", "12.3"]);
});

test("challenge says that hidden scores decide in the end", async () => {
  broker.routes["/api/v1/challenges/iris"] = { json: publicChallenge({ final: { select: 3 } }) };
  expect((await run(["challenge", "iris"])).stdout).toContain("Select up to 3 submissions to a round");
});

test("select selects a submission for the final ranking, --remove removes it, and lists show it", async () => {
  const path = `/api/v1/submissions/${ID}`;
  const selected = gradedSubmission({ selected: true, score_final: null });
  broker.routes[`${path}/select`] = { json: selected };
  broker.routes[`${path}/unselect`] = { json: gradedSubmission() };
  const chosen = await run(["select", ID]);
  expect(chosen.stdout).toBe(`${ID} is selected for the final ranking of round 2 of iris.\n`);
  expect(JSON.parse((await run(["select", ID, "--json"])).stdout)).toMatchObject({ id: ID, selected: true });
  expect((await run(["select", ID, "--remove"])).stdout).toContain("no longer selected");
  broker.routes["/api/v1/submissions"] = { json: { submissions: [selected] } };
  broker.routes["/api/v1/challenges"] = { json: { challenges: [publicChallenge()] } };
  expect((await run(["submissions"], { tty: { ...TTY, columns: 200 } })).stdout).toMatch(
    /Final[\s\S]*selected/,
  );
  expect((await run(["submissions"])).stdout).toMatch(/\t\tselected\n$/);
  broker.routes[path] = { json: { ...selected, score_final: 0.12345 } };
  broker.routes["/api/v1/challenges/iris"] = { json: publicChallenge() };
  const shown = (await run(["show", ID])).stdout;
  expect(shown).toMatch(/Accuracy \(final\):? +0\.123/);
  expect(shown).toMatch(/Selected:? +for the final ranking/);
});

test("leaderboard shows moves, the leader and baselines", async () => {
  const rows = [
    { rank_before: 3, highlight: true },
    { rank: 0, baseline: true, participant: "Random guessing", entries: 0 },
    { rank: 2, rank_before: 1 },
    { rank: 3, rank_before: 3 },
    { rank: 4 },
  ];
  broker.routes["/api/v1/challenges/iris/leaderboard"] = { json: leaderboardOf(rows) };
  const seen = await run(["leaderboard", "iris"], { tty: TTY, env: { LANG: "en_GB.UTF-8" } });
  const cells = seen.stdout.split("\n").map((line) => line.trim().split(/ {2,}/));
  expect(cells[1]?.slice(0, 3)).toEqual(["1", "▲2", "* p1"]);
  expect(cells[2]?.[0]).toMatch(/^baseline: Rand/);
  expect(cells[3]?.slice(0, 3)).toEqual(["2", "▼1", "p3"]);
  expect(cells[4]?.slice(0, 3)).toEqual(["3", "=", "p4"]);
  expect(cells[5]?.slice(0, 3)).toEqual(["4", "new", "p5"]);
  const plain = await run(["leaderboard", "iris"], { tty: TTY, env: { LANG: "C", LC_ALL: "C" } });
  expect(plain.stdout).toContain("^2");
  const piped = await run(["leaderboard", "iris"]);
  expect(piped.stdout.split("\n").map((line) => line.split("\t").at(-1))).toEqual([
    "3",
    "",
    "1",
    "3",
    "",
    "",
  ]);
});

test.each([
  [["--ongoing"], "ongoing"],
  [["--previous"], "previous"],
  [["--ongoing", "--previous"], "previous_ongoing"],
])("leaderboard %j asks for the board %s", async (flags, board) => {
  broker.routes["/api/v1/challenges/iris/leaderboard"] = { json: leaderboardOf([{}]) };
  await run(["leaderboard", "iris", ...flags]);
  expect(broker.received[0]?.path).toContain(`board=${board}`);
});

test("limits shows the submissions left and when the next slot is free", async () => {
  const next_at = new Date(Date.now() + 2 * 3600 * 1000).toISOString();
  broker.routes["/api/v1/challenges/iris/limits"] = { json: { ...limits(), remaining: 0, used: 5, next_at } };
  const { stdout } = await run(["limits", "iris"]);
  expect(stdout).toContain("0 of 5 left per day (5 used)");
  expect(stdout).toMatch(/Next slot: .* \(in 2 h\)/);
  expect(stdout).toContain("2 graders connected");
});

test("limits tells submissions that are being uploaded from those that are graded", async () => {
  broker.routes["/api/v1/challenges/iris/limits"] = { json: { ...limits(), running: 2, uploading: 1 } };
  const { stdout } = await run(["limits", "iris"]);
  expect(stdout).toMatch(/Unfinished: +2 of at most 2 in parallel: 1 being uploaded, 1 being graded/);
});

test("show prints the state, score and rank, and the next command", async () => {
  broker.routes[`/api/v1/submissions/${ID}`] = { json: gradedSubmission() };
  const { stdout, stderr } = await run(["show", ID]);
  for (const text of [
    "graded",
    "0.9666666666666667",
    "2 (up 2), your best",
    "well done",
    "deeper trees",
    "number 12",
  ])
    expect(stdout).toContain(text);
  expect(stderr).toContain("next: crowdai leaderboard iris");
});

test("show prints why a submission is waiting", async () => {
  const waiting = {
    state: "submitted",
    finished_at: null,
    score: null,
    rank: null,
    place: 3,
    waiting: "No grader.",
    expected_at: new Date(Date.now() + 20_400).toISOString(),
    graders: 0,
  } as const;
  broker.routes[`/api/v1/submissions/${ID}`] = { json: gradedSubmission(waiting) };
  const { stdout, stderr } = await run(["show", ID]);
  expect(stdout).toMatch(/Queue position: +3/);
  expect(stdout).toMatch(/Waiting: +No grader\./);
  expect(stdout).toMatch(/Expected start: +in 20 s/);
  expect(stdout).toMatch(/Graders: +0/);
  expect(stderr).toContain(`next: crowdai watch ${ID}`);
});

test("show prints why a submission failed and what to do", async () => {
  const error = {
    code: "rejected",
    fault: "you",
    message: "row 17:\nunknown id",
    next: "Mend it.",
    retryable: false,
  } as const;
  broker.routes[`/api/v1/submissions/${ID}`] = {
    json: gradedSubmission({ state: "failed", score: null, error, slot: "returned" }),
  };
  const { code, stdout, stderr } = await run(["show", ID]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/Error: +rejected: row 17:\n +unknown id\n +Mend it\./);
  expect(stdout).toMatch(/Slot: +returned/);
  expect(stderr).toContain(`next: crowdai logs ${ID}`);
});

test("logs prints only the messages of the evaluator, in order", async () => {
  broker.routes[`/api/v1/submissions/${ID}/events`] = { json: said() };
  expect((await run(["logs", ID])).stdout).toBe("[50%] fold 1\nloaded\n");
});

test("tables have a header and relative times on a terminal; in a pipe they have exact times and no header", async () => {
  broker.routes["/api/v1/submissions"] = { json: { submissions: [gradedSubmission()] } };
  expect((await run(["submissions"])).stdout).toBe(
    `${ID}\tiris\t2\tgraded\t0.9666666666666667\t2026-11-23T12:00:00Z\tdeeper trees\t2\t\n`,
  );
  const seen = await run(["submissions"], { tty: { ...TTY, columns: 200 } });
  expect(seen.stdout).toMatch(/^Submission +Challenge +Round +State +Score +Rank +Now +Submitted +Message\n/);
  expect(seen.stdout).toContain("0.966667");
  expect(seen.stdout).toMatch(/(ago|in \d+ \w+) +deeper trees/);
});

test("an empty list is not an error and is reported on stderr", async () => {
  broker.routes["/api/v1/submissions"] = { json: { submissions: [] } };
  expect(await run(["submissions"])).toEqual({
    code: 0,
    stdout: "",
    stderr: "You have no submissions yet.\n",
  });
});

/** Whether the schemas accept only certain values here. */
function isKeyword(value: string): boolean {
  const words = [
    "descending",
    "ascending",
    "open",
    "ended",
    "reject",
    "off",
    "file",
    "graded",
    "charged",
    "submit",
  ];
  return [...words, "submitted", "progress", "log", ID].includes(value) || /^[0-9]{64}$/.test(value);
}
