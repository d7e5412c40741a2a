import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useCommandLine } from "../command-line.ts";
import { jsonLines } from "../run-cli.ts";

const cli = useCommandLine({ env: { CROWDAI_CHALLENGE: "iris" } });
const submit = (...more: string[]) => cli.run(["submit", "--json", "[1]", ...more]);
const onlyId = () => cli.submissions()[0]!.id;

describe("3: in a pipe, one value stands alone on stdout", () => {
  it("submit prints the id, and the score on stderr", async () => {
    const { code, stdout, stderr } = await submit();
    expect([code, stdout]).toEqual([0, `${onlyId()}\n`]);
    expect(stderr).toContain("Accuracy: 0.900");
    expect(stderr).toContain("Rank: 3 of 17 (up 2)");
  });

  it("submit --no-wait prints the id once", async () => {
    expect((await submit("--no-wait")).stdout).toBe(`${onlyId()}\n`);
  });

  it("watch, whose caller knows the id, prints the score", async () => {
    await submit();
    const { stdout, stderr } = await cli.run(["watch", onlyId()]);
    expect(stdout).toBe("0.9\n");
    expect(stderr).toContain("Rank: 3 of 17");
  });

  it("on a terminal, a person sees score and rank on stdout", async () => {
    const { stdout } = await cli.run(["submit", "--json", "[1]"], { tty: { stdout: true } });
    expect(stdout).toContain("Accuracy: 0.900\nRank: 3 of 17 (up 2)\n");
  });
});

describe("5: fields and a filter, without jq", () => {
  it("--fields prints only these, of a submission and of each item of a list", async () => {
    const { stdout } = await submit("--fields", "id,score,challenge");
    expect(JSON.parse(stdout)).toEqual({ id: onlyId(), score: 0.9, challenge: "iris" });
    const list = await cli.run(["submissions", "--json", "id,state"]);
    expect(JSON.parse(list.stdout)).toEqual([{ id: onlyId(), state: "graded" }]);
  });

  it("--json without a list prints the document of --format json", async () => {
    await submit();
    const { stdout } = await cli.run(["submissions", "--json"]);
    expect(stdout).toBe((await cli.run(["submissions", "--format", "json"])).stdout);
  });

  it("--filter prints a string without quotes, and a line for each value", async () => {
    const { stdout } = await submit("--filter", ".score");
    expect(stdout).toBe("0.9\n");
    await submit();
    const ids = cli.submissions().map(({ id }) => id);
    const all = await cli.run(["submissions", "--filter", ".submissions[].id"]);
    expect(all.stdout.trim().split("\n").sort()).toEqual(ids.sort());
    expect((await cli.run(["submissions", "--filter", ".submissions[0].input.kind"])).stdout).toBe("json\n");
  });

  it.each([[["--fields", "id,scor"]], [["--filter", ".scor"]]])(
    "submit %s names the fields that there are, before anything is sent",
    async (flags) => {
      const { code, stdout, stderr } = await submit(...flags);
      expect(code).toBe(2);
      expect(stderr).toContain('There is no field "scor".');
      expect(stderr).toMatch(/Fields: .*\bid, .*\bscore\b/);
      expect(cli.submissions()).toEqual([]);
      if (flags[0] === "--fields") expect(JSON.parse(stdout).error.details.fields).toContain("score");
    },
  );

  it("a field that no item of a list has is named with those that there are", async () => {
    await submit();
    const { code, stderr } = await cli.run(["submissions", "--json", "id,nothing"]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/no field "nothing".\nFields: .*created_at/)]);
  });

  it("a path that cannot be read, and fields of another format, are usage errors", async () => {
    expect((await submit("--filter", "score")).stderr).toContain("Write it as .score");
    expect((await submit("--fields", "id", "--format", "ndjson")).code).toBe(2);
    expect((await cli.run(["submissions", "--json", "--format", "text"])).code).toBe(2);
  });

  it("a failure keeps its error beside the fields", async () => {
    cli.broker.grader = () => ({ score: 0.1 });
    const { code, stdout } = await submit("--fields", "score", "--min-score", "0.5");
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({ score: 0.1, error: { code: "below_minimum" }, exit_code: 7 });
  });
});

describe("7: events as NDJSON", () => {
  const timed = { schema_version: 1, type: expect.any(String), time: expect.stringMatching(/^\d{4}-.*Z$/) };

  it("have a type, a version and a time, to the result", async () => {
    const lines = jsonLines((await submit("--format", "ndjson")).stdout);
    for (const line of lines) expect(line).toMatchObject(timed);
    expect(lines.at(-1)).toMatchObject({ type: "result", state: "graded" });
  });

  it("are appended to the file of CROWDAI_EVENTS, which only its owner can read, in any format", async () => {
    const env = { CROWDAI_EVENTS: "events.ndjson" };
    await cli.run(["submit", "--json", "[1]"], { env });
    await cli.run(["show", "unknown"], { env });
    const path = join(cli.folder, "events.ndjson");
    const lines = jsonLines(await readFile(path, "utf8"));
    for (const line of lines) expect(line).toMatchObject(timed);
    expect(lines.map(({ type }) => type).filter((type) => type !== "event" && type !== "place")).toEqual([
      "result",
      "error",
    ]);
    if (process.platform !== "win32") expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("cost a warning, not the submission, when the file cannot be written", async () => {
    const env = { CROWDAI_EVENTS: "no/such/folder/events" };
    const { code, stderr } = await cli.run(["submit", "--json", "[1]"], { env });
    expect(code).toBe(0);
    expect(stderr.match(/The events cannot be written to .*\(ENOENT\)/g)).toHaveLength(1);
  });
});
