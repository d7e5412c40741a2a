import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError, createApiKey } from "@crowdai/shared";
import { beforeEach, describe, expect, it } from "vitest";
import { useCommandLine } from "../../test/command-line.ts";
import { jsonLines } from "../../test/run-cli.ts";

const cli = useCommandLine({ env: { CROWDAI_CHALLENGE: "iris" } });
const { run, submissions } = cli;
beforeEach(() => writeFile(join(cli.folder, "p.csv"), "id,species\n"));

describe("--min-score", () => {
  it.each([
    ["descending", "0.9", 0],
    ["descending", "0.91", 7],
    ["ascending", "0.9", 0],
    ["ascending", "0.89", 7],
    ["ascending", "-1", 7],
  ] as const)("with a score that is %s: %s exits with %i", async (order, wanted, expected) => {
    cli.broker.challenge.score.order = order;
    const { code, stderr } = await run(["submit", "p.csv", "--min-score", wanted]);
    expect(code).toBe(expected);
    expect(stderr).toContain("Accuracy: 0.900");
  });

  it("keeps the submission and the reason in the one JSON document", async () => {
    const { code, stdout } = await run(["submit", "p.csv", "--min-score", "1", "--format", "json"]);
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({
      submission: { score: 0.9 },
      error: { code: "below_minimum" },
      exit_code: 7,
    });
  });

  it("is refused together with --no-wait", async () => {
    expect((await run(["submit", "p.csv", "--min-score", "1", "--no-wait"])).code).toBe(2);
    expect(cli.broker.received).toEqual([]);
  });
});

describe("a submission that gets no grade", () => {
  it("exits with 6 and prints the evaluator's message", async () => {
    cli.broker.grader = () => ({ error: { code: "rejected", message: "row 17: unknown id" } });
    const { code, stdout, stderr } = await run(["submit", "p.csv"]);
    expect([code, stdout]).toEqual([6, `${cli.submissions()[0]!.id}\n`]);
    expect(stderr).toContain("error[rejected]: row 17: unknown id");
  });

  it("is in the JSON document, once, and in the last lines of ndjson", async () => {
    cli.broker.grader = () => ({ error: { code: "evaluator_crashed", message: "The evaluator crashed." } });
    const { code, stdout } = await run(["submit", "p.csv", "--format", "json"]);
    expect(code).toBe(6);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      submission: { state: "failed" },
      error: { code: "evaluator_crashed", fault: "challenge" },
      exit_code: 6,
    });
    // The submission is in the document itself.
    expect(document.error.details).toEqual({
      slot: "reserved",
      limits: expect.objectContaining({ used: 1 }),
    });
    const printed = jsonLines((await run(["submit", "p.csv", "--format", "ndjson"])).stdout);
    expect(printed.slice(-2)).toMatchObject([
      { type: "result", submission: { state: "failed" } },
      { type: "error", exit_code: 6 },
    ]);
  });

  it("exits with 8 after --timeout and prints how to reattach", async () => {
    cli.broker.grader = null;
    const { code, stderr } = await run(["submit", "p.csv", "--timeout", "0.05"]);
    expect(code).toBe(8);
    const json = JSON.parse((await run(["submit", "p.csv", "--timeout", "0.05", "--format", "json"])).stdout);
    expect(json).toMatchObject({ id: submissions()[1]!.id, error: { code: "still_pending" }, exit_code: 8 });
    expect(stderr).toContain(`crowdai watch ${submissions()[0]!.id}`);
  });

  it("continues after Ctrl-C, which says so and exits with 130", async () => {
    cli.broker.grader = null;
    const stop = new AbortController();
    cli.broker.intercept = (what) => {
      if (what === "complete") setTimeout(() => stop.abort(), 50);
      return false;
    };
    const { code, stderr } = await run(["submit", "p.csv"], { signal: stop.signal });
    const { id, state } = submissions()[0]!;
    expect([code, state]).toEqual([130, "submitted"]);
    expect(stderr).toContain(`Submission ${id} was accepted and continues.`);
    expect(stderr).toContain(`crowdai watch ${id}`);
  });

  it("is not made if Ctrl-C comes first", async () => {
    const { code, stderr } = await run(["submit", "p.csv"], { signal: AbortSignal.abort() });
    expect(code).toBe(130);
    expect(stderr).toContain("Nothing was submitted.");
  });
});

describe("a refusal", () => {
  it.each([
    [["submit"], "usage", 2],
    [["submit", "p.csv", "--json", "1"], "usage", 2],
    [["submit", ""], "usage", 2],
    [["submit", "nope.csv"], "file_missing", 2],
    [["submit", "."], "file_unreadable", 2],
    [["submit", "empty.csv"], "file_empty", 4],
    [["submit", "--json", "[1,]"], "value_not_json", 4],
    [["submit", "--json", "[NaN]"], "value_not_finite", 4],
  ])("of %j comes before the broker is asked", async (args, code, exit) => {
    await writeFile(join(cli.folder, "empty.csv"), "");
    const result = await run([...args, "--format", "json"]);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code }, exit_code: exit });
    expect(result.code).toBe(exit);
    expect(cli.broker.received).toEqual([]);
  });

  it.each([
    [["submit", "p.txt"], "file_extension", 4],
    [["submit", "big.csv"], "file_too_large", 4],
    [["submit", "p.csv", "--round", "9"], "round_unknown", 2],
    [["submit", "p.csv", "-c", "irsi"], "challenge_unknown", 2],
    [["submit", "--json", '["x"]'], "value_schema", 4],
  ])("of %j comes before a byte is sent", async (args, code, exit) => {
    await writeFile(join(cli.folder, "p.txt"), "x");
    await writeFile(join(cli.folder, "big.csv"), "x".repeat(101));
    cli.broker.challenge.accepts = {
      ...cli.broker.challenge.accepts,
      file: { extensions: [".csv"], max_bytes: 100 },
      json: { max_bytes: 100, schema: { items: { type: "number" } } },
    };
    const result = await run([...args, "--format", "json"]);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code }, exit_code: exit });
    expect(submissions()).toEqual([]);
  });

  it("of too much standard input stops reading it", async () => {
    cli.broker.challenge.accepts = {
      file: { extensions: [".csv"], max_bytes: 100 },
      json: null,
      code: null,
      model: null,
    };
    const result = await run(["submit", "-"], { stdin: "x".repeat(101) });
    expect(result.code).toBe(4);
    expect((await run(["submit", "-"], { stdin: "" })).stderr).toContain("Standard input is empty");
  });

  it("of the broker is passed on with its exit code", async () => {
    cli.broker.intercept = (what) => {
      if (what !== "submit") return false;
      throw new CrowdaiError("no_slots", "No slots are left; the next one comes at noon.");
    };
    const { code, stderr } = await run(["submit", "p.csv"]);
    expect(code).toBe(4);
    expect(stderr).toContain("the next one comes at noon");
  });

  it("of the key exits with 3, of a malformed one without asking the broker", async () => {
    expect((await run(["submit", "p.csv"], { env: { CROWDAI_API_KEY: "crowdai_x" } })).code).toBe(3);
    expect((await run(["submit", "p.csv"], { env: { CROWDAI_API_KEY: "" } })).code).toBe(3);
    expect(cli.broker.received).toEqual([]);
    expect((await run(["submit", "p.csv"], { env: { CROWDAI_API_KEY: createApiKey() } })).code).toBe(3);
  });

  it("because the broker is unreachable exits with 5", async () => {
    await cli.broker.stop();
    const { code, stderr } = await run(["submit", "p.csv"]);
    expect(code).toBe(5);
    expect(stderr).toContain("error[broker_unreachable]");
  });
});
