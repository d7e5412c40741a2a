import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { beforeEach, describe, expect, it } from "vitest";
import { useCommandLine } from "../../test/command-line.ts";
import { jsonLines } from "../../test/run-cli.ts";

const cli = useCommandLine({ env: { CROWDAI_CHALLENGE: "iris" } });
const { run, submissions } = cli;
const file = () => join(cli.folder, "p.csv");
beforeEach(() => writeFile(file(), "id,species\n"));

describe("crowdai submit", () => {
  it("prints scores and rank on stdout, slots and the next command on stderr", async () => {
    const { code, stdout, stderr } = await run(["submit", "p.csv", "-m", "first"], { tty: { stdout: true } });
    expect([code, stdout]).toEqual([0, "Accuracy: 0.900\nRank: 3 of 17 (up 2)\n"]);
    expect(stderr).toContain("Submissions left: 4 of 5 per day\n");
    expect(stderr).toContain(`Submission ${submissions()[0]!.id} accepted.`);
    expect(stderr).toContain("next: crowdai leaderboard iris");
    expect(submissions()[0]).toMatchObject({ message: "first", input: { kind: "file", name: "p.csv" } });
  });

  it("prints the id alone with --quiet", async () => {
    const { stdout, stderr } = await run(["submit", "p.csv", "--quiet"]);
    expect(stdout).toBe(`${submissions()[0]!.id}\n`);
    expect(stderr).toBe("");
  });

  it("prints one JSON document", async () => {
    const { code, stdout } = await run(["submit", "p.csv", "--format", "json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema_version: 1,
      id: submissions()[0]!.id,
      state: "graded",
      score: 0.9,
      score_secondary: null,
      rank: 3,
      submission: { state: "graded", score: 0.9 },
      limits: { remaining: 4 },
      ranked: 17,
    });
  });

  it("prints one line per event, then the result", async () => {
    const { stdout } = await run(["submit", "p.csv", "--format", "ndjson"]);
    const printed = jsonLines(stdout);
    expect(printed.map(({ type, event }) => event?.type ?? type)).toEqual([
      "initiated",
      "submitted",
      "grading",
      "progress",
      "graded",
      "result",
    ]);
    expect(printed.every(({ schema_version }) => schema_version === 1)).toBe(true);
  });

  it("prints the id and returns with --no-wait", async () => {
    cli.broker.grader = null;
    const { code, stdout, stderr } = await run(["submit", "p.csv", "--no-wait"]);
    const { id } = submissions()[0]!;
    expect([code, stdout]).toEqual([0, `${id}\n`]);
    expect(stderr).toContain(`next: crowdai watch ${id}`);
    const json = JSON.parse((await run(["submit", "p.csv", "--no-wait", "--format", "json"])).stdout);
    expect(json).toMatchObject({ id: submissions()[1]!.id, state: "submitted", score: null, submission: {} });
  });

  it("reports only once that it reads a pipe", async () => {
    const { stderr } = await run(["submit", "-"], { stdin: "id,species\n" });
    expect(stderr.match(/Submitting standard input/g)).toHaveLength(1);
  });

  it("waits with a --timeout that is longer than the runtime's timers", async () => {
    expect((await run(["submit", "p.csv", "--timeout", "1e10"])).code).toBe(0);
  });

  it("accepts --json, a .json file for a challenge of values, and standard input of either kind", async () => {
    await writeFile(join(cli.folder, "v.json"), "[1]");
    await run(["submit", "--json", '{"a": [1]}']);
    await run(["submit", "v.json"]);
    await run(["submit", "-"], { stdin: "id,species\n" });
    await run(["submit", "-"], { stdin: ' {"a": 1}' });
    expect(submissions().map(({ input }) => [input?.kind, input?.name])).toEqual([
      ["json", null],
      ["json", null],
      ["file", "stdin.csv"],
      ["json", null],
    ]);
  });

  it("sends nothing with --dry-run and shows what it would send", async () => {
    const { code, stdout } = await run(["submit", "p.csv", "--dry-run", "-m", "deeper"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Dry run. Nothing was sent.");
    expect(stdout).toMatch(/Input: +p\.csv, 11 bytes\nSHA-256: +[0-9a-f]{64}\n/);
    expect(stdout).toMatch(/Message: +deeper\n/);
    expect(stdout).toMatch(/Submissions left: +4 of 5 per day\n/);
    const { stdout: json } = await run(["submit", "--json", "[1]", "--dry-run", "--format", "json"]);
    expect(JSON.parse(json)).toMatchObject({
      dry_run: true,
      plan: { input: { kind: "json", way: "message", size: 3 } },
    });
    expect(cli.broker.received.map(({ what }) => what)).toEqual(["connect", "connect"]);
  });
});

it("continues the submission of an interrupted run, with the same id and only the missing parts", async () => {
  await writeFile(file(), "x".repeat(600_000));
  const stop = new AbortController();
  let first = true;
  cli.broker.intercept = (what) => {
    if (what.endsWith("/2") && first) {
      first = false;
      setTimeout(() => stop.abort(), 50);
      return true;
    }
    return false;
  };
  const interrupted = await run(["submit", "p.csv"], { signal: stop.signal });
  expect(interrupted.code).toBe(130);
  expect(interrupted.stderr).toContain("Submit again: nothing is counted twice.");
  const again = await run(["submit", "p.csv"]);
  expect(again.code).toBe(0);
  expect(again.stderr).toContain("Continuing the unfinished submission");
  expect(submissions()).toHaveLength(1);
  expect(cli.broker.received.filter(({ what }) => what.endsWith("/1"))).toHaveLength(1);
  await run(["submit", "p.csv"]);
  expect(submissions()).toHaveLength(2);
});

it("makes a new submission if the unfinished one was abandoned in the meantime", async () => {
  await writeFile(file(), "x".repeat(600_000));
  const stop = new AbortController();
  cli.broker.intercept = (what) => {
    if (!what.startsWith("PUT") || stop.signal.aborted) return false;
    stop.abort();
    return true;
  };
  expect((await run(["submit", "p.csv"], { signal: stop.signal })).code).toBe(130);
  const [left] = submissions();
  cli.broker.finish(left!.id, { state: "failed", error: new CrowdaiError("upload_abandoned").toBody() });
  expect((await run(["submit", "p.csv"])).code).toBe(0);
  expect(submissions()).toHaveLength(2);
});

it("prints no control characters without a terminal", async () => {
  await mkdir(join(cli.folder, "x"));
  cli.broker.grader = () => ({ error: { code: "rejected", message: "\u001b[2Jgone" } });
  const { stdout, stderr } = await run(["submit", "p.csv"]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for them
  expect(stdout + stderr).not.toMatch(/[\u001b\r]/);
});
