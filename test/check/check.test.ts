import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../../broker/test/support/test-broker.ts";
import { Challenge } from "../../cli/src/index.ts";
import { runCli } from "../../cli/test/run-cli.ts";

const SLOTS = { id: "1", limit: { count: 5, per: "day" } };
const accepts = { file: { extensions: [".csv"] }, json: {} };
const evaluator = { command: ["python3", "evaluate.py"], functions: ["submit"] };
const IDS = { column: "id", file: "public/test.csv" };
const csv = { columns: ["id", { name: "label", type: "number" }], ids: IDS };
const schema = { type: "array", items: { type: "integer" } };
const asked = { function: "check", timeout_seconds: 60, per_hour: 5 };

const CHALLENGES = [
  { id: "local", check: { csv, schema }, accepts, evaluator, rounds: [SLOTS] },
  { id: "charging", check: { csv, schema, charge: true }, accepts, evaluator, rounds: [SLOTS] },
  { id: "asking", check: asked, accepts, evaluator, rounds: [SLOTS] },
  { id: "hurried", check: { ...asked, timeout_seconds: 1 }, accepts, evaluator, rounds: [SLOTS] },
  { id: "limited", check: { ...asked, per_hour: 1 }, accepts, evaluator, rounds: [SLOTS] },
  { id: "plain", accepts, evaluator, rounds: [SLOTS] },
  {
    id: "later",
    check: { csv },
    accepts,
    evaluator,
    rounds: [{ ...SLOTS, starts_at: "2100-01-01T00:00:00Z" }],
  },
];

/** Does what the submission says. */
const EVALUATOR = `import json, sys, time
job = json.loads(sys.stdin.readline())
data = job["input"]
text = open(data["path"]).read() if "path" in data else json.dumps(data["data"])
event = {"type": "result", "score": 0.5, "data": {"answers": "secret"}, "meta": {"answers": "secret"}}
if job["function"] == "check":
    if "hangs" in text: time.sleep(60)
    if "crashes" in text: raise RuntimeError("private/answers.csv")
    if "is silent" in text: sys.exit()
    if "rubbish" in text: sys.exit(print("rubbish"))
    if "many" in text: event["problems"] = ["row %d: no" % i for i in range(2, 32)]
    if "refused" in text: event = {"type": "error", "message": "row 2: refused\\nrow 3: refused"}
print(json.dumps({"id": job["id"], **event}))
`;

let test: TestBroker;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "crowdai-check-"));
  test = await startBroker({
    challenges: CHALLENGES,
    async prepare(at) {
      for (const { id } of CHALLENGES) {
        const dir = join(at, "challenges", id);
        await mkdir(join(dir, "public"));
        await writeFile(join(dir, "public/test.csv"), "id,x\na,1\nb,2\n");
        await writeFile(join(dir, "evaluate.py"), EVALUATOR);
      }
    },
  });
  await writeFile(join(folder, "good.csv"), "id,label\nb,2\na,1\n");
  await writeFile(join(folder, "bad.csv"), "id,label\nb,cat\na,1\n");
  for (const word of ["fine", "hangs", "crashes", "is silent", "rubbish", "many", "refused"])
    await writeFile(join(folder, `${word}.csv`), `text\n${word}\n`);
});
afterAll(async () => {
  await test?.close();
  await rm(folder, { recursive: true, force: true });
});

async function crowdai(challenge: string, ...args: string[]) {
  const env = {
    CROWDAI_BROKER: test.broker.url,
    CROWDAI_CHALLENGE: challenge,
    CROWDAI_API_KEY: test.key,
  };
  const done = await runCli(args, { cwd: folder, env });
  const isJson = args.includes("--format");
  return { ...done, json: isJson ? JSON.parse(done.stdout) : null };
}
const checked = (challenge: string, ...args: string[]) =>
  crowdai(challenge, "check", ...args, "--format", "json");
const submitted = (challenge: string, ...args: string[]) =>
  crowdai(challenge, "submit", ...args, "--format", "json");
const PROBLEM = "row 2, column `label`: expected a number, got `cat`";

describe("a challenge with rules for files and values", () => {
  it("is checked without a slot, in text and in JSON", async () => {
    const good = await crowdai("local", "check", "good.csv");
    expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining("No slot was charged.") });
    expect(good.stderr).toContain("next: crowdai submit good.csv");
    const bad = await crowdai("local", "check", "bad.csv");
    expect(bad).toMatchObject({ code: 4, stdout: "" });
    expect(bad.stderr).toContain(`bad.csv does not pass the check of local: 1 problem.\n  ${PROBLEM}`);
    expect(bad.stderr).toContain(
      "Nothing was sent, and no slot was charged. Submissions left: 5 of 5 per day.",
    );
    expect((await checked("local", "bad.csv")).json).toMatchObject({
      error: {
        code: "check_failed",
        details: {
          ...{ total: 1, slot: "none", sent: false, limits: { remaining: 5 } },
          problems: [{ row: 2, column: "label", value: "cat", text: PROBLEM }],
        },
      },
    });
    expect((await crowdai("local", "check", "--json", "[1]")).stderr).toContain(
      "Checking a JSON value for local",
    );
    expect((await checked("local", "--json", '[1, "x"]')).json.error.message).toContain(
      '$[1]: expected integer, got string (rule "type")',
    );
  });

  it("is checked before a file is sent, and by the grader if it is not, in the same words", async () => {
    const here = await submitted("local", "bad.csv");
    expect(here).toMatchObject({ code: 4, json: { error: { details: { slot: "none", sent: false } } } });
    const there = await submitted("local", "bad.csv", "--no-check");
    expect(there).toMatchObject({
      code: 4,
      json: {
        state: "failed",
        submission: { slot: "returned", data: { total: 1, problems: [{ text: PROBLEM }] } },
        error: { code: "check_failed", details: { slot: "returned", limits: { remaining: 5 } } },
      },
    });
    const sayings = [here, there].map(({ json }) => json.error.message.replace(/^.*? does/, "does"));
    expect(sayings[0]).toBe(sayings[1]);
    expect((await submitted("local", "good.csv")).json).toMatchObject({ state: "graded", score: 0.5 });
  });

  it("refuses a value at the broker, without a submission", async () => {
    const refused = await submitted("local", "--json", '[1, "x"]', "--no-check");
    expect(refused).toMatchObject({ code: 4, json: { error: { code: "check_failed" } } });
    expect(refused.json).not.toHaveProperty("submission");
    expect(refused.json.error.details).toMatchObject({ slot: "none", total: 1 });
  });

  it("shows what passed in a dry run, and is checked before its rounds open", async () => {
    const dry = await submitted("local", "good.csv", "--dry-run");
    expect(dry.json.plan.checks).toContain("the file has the columns, rows and values of the check");
    expect((await checked("later", "good.csv")).code).toBe(0);
  });

  it("charges a slot only where the organizer says so", async () => {
    const refused = await submitted("charging", "bad.csv", "--no-check");
    expect(refused.json.error.details).toMatchObject({ slot: "charged", limits: { remaining: 4 } });
    const value = await crowdai("charging", "submit", "--json", '["x"]', "--no-check");
    expect(value.stderr).toContain("The slot was charged. Submissions left: 3 of 5 per day.");
    expect((await submitted("charging", "bad.csv")).json.error.details).toMatchObject({ slot: "none" });
  });

  it("is checked by the library", async () => {
    const options = { broker: test.broker.url, apiKey: test.key };
    await using challenge = await Challenge.open("local", options);
    expect(await challenge.check({ file: join(folder, "good.csv") })).toMatchObject({
      ok: true,
      trial: null,
    });
    const bad = { file: join(folder, "bad.csv") };
    await expect(challenge.check(bad)).rejects.toMatchObject({ code: "check_failed", details: { total: 1 } });
    await expect(challenge.submit(bad)).rejects.toMatchObject({ details: { sent: false } });
    await expect(challenge.submit(bad, { check: false })).rejects.toMatchObject({
      details: { submission: { slot: "returned" } },
    });
    await expect(challenge.check(["x"])).rejects.toMatchObject({ code: "check_failed" });
    expect((await challenge.check([1, 2])).passed).toContain("the value matches the schema of the check");
  });
});

describe("a challenge whose evaluator checks", () => {
  it("is asked without a slot, a score, or anything else that it returns", async () => {
    const { json } = await checked("asking", "fine.csv");
    expect(json).toMatchObject({ ok: true, slot: "none", sent: true });
    const shown = await crowdai("asking", "show", json.trial.id, "--format", "json");
    expect(shown.json.submission).toMatchObject({ score: null, data: null, slot: "none", function: "check" });
    expect(shown.stdout).not.toContain("secret");
    const many = await checked("asking", "many.csv");
    expect(many).toMatchObject({ code: 4, json: { error: { details: { total: 30, slot: "none" } } } });
    expect(many.json.error.message).toMatch(
      /30 problems\.\n {2}row 2: no\n[\s\S]*row 21: no\n {2}and 10 more$/,
    );
  });

  it.each([
    ["refused", "check_failed", 4],
    ["hangs", "evaluator_timeout", 6],
    ["crashes", "evaluator_crashed", 6],
    ["is silent", "evaluator_silent", 6],
    ["rubbish", "evaluator_output", 6],
  ])("returns the slot of a submission that is %s", async (word, code, exit) => {
    const done = await submitted(word === "hangs" ? "hurried" : "asking", `${word}.csv`);
    expect(done).toMatchObject({ code: exit, json: { error: { code, details: { slot: "returned" } } } });
    expect(done.stdout + done.stderr).not.toContain("answers");
  });

  it("may be asked only so often, and grades what passes", async () => {
    expect((await checked("limited", "fine.csv")).code).toBe(0);
    expect(await checked("limited", "fine.csv")).toMatchObject({
      code: 4,
      json: { error: { code: "too_many_requests", details: { limit: 1, used: 1, slot: "none" } } },
    });
    expect(await checked("limited", "fine.csv", "--local")).toMatchObject({
      code: 0,
      json: { sent: false, skipped: [expect.stringContaining("was not called")] },
    });
    expect((await submitted("limited", "fine.csv")).json.score).toBe(0.5);
  });
});

it("says that a challenge has no check", async () => {
  const done = await crowdai("plain", "check", "good.csv");
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining("plain has no check.") });
  expect(await checked("plain", "good.csv")).toMatchObject({ json: { has_check: false, problems: [] } });
  expect((await crowdai("local", "challenge")).stdout).toContain("the format of CSV files, a JSON Schema");
});

it.each([
  ["a folder", ["check", "."], "file_unreadable"],
  ["an empty file", ["check", "empty.csv"], "file_empty"],
  ["no file", ["check", "none.csv"], "file_missing"],
  ["another kind of file", ["check", "notes.txt"], "file_extension"],
  ["nothing", ["check"], "usage"],
])("refuses %s", async (_, args, code) => {
  await writeFile(join(folder, "empty.csv"), "");
  await writeFile(join(folder, "notes.txt"), "x");
  expect((await crowdai("local", ...args, "--format", "json")).json).toMatchObject({ error: { code } });
});
