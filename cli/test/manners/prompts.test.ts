import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useCommandLine } from "../command-line.ts";
import { startScriptedBroker } from "../scripted-broker.ts";

const cli = useCommandLine({ env: { CROWDAI_CHALLENGE: "iris" } });
const TERMINAL = { stdin: true, stdout: true, stderr: true };
const AGENTS = [
  "AI_AGENT",
  "CLAUDECODE",
  "CURSOR_AGENT",
  "CODEX_SANDBOX",
  "CODEX_THREAD_ID",
  "GEMINI_CLI",
  "COPILOT_CLI",
];

describe("22 and 23: ordinary questions", () => {
  const project = () => join(cli.folder, "crowdai.json");

  it("--yes answers them, and says so", async () => {
    await writeFile(project(), "{}");
    const { code, stderr } = await cli.run(["init", "-c", "iris", "--yes"], { tty: TERMINAL });
    expect([code, stderr]).toEqual([0, expect.stringContaining("exists. Overwrite it? Yes (--yes).")]);
    expect(JSON.parse(await readFile(project(), "utf8"))).toMatchObject({ challenge_id: "iris" });
  });

  it("without a terminal the answer is the safe one, which is printed with the flag that changes it", async () => {
    await writeFile(project(), "{}");
    const { code, stderr } = await cli.run(["init", "-c", "iris"]);
    expect(code).toBe(2);
    expect(stderr).toContain("Overwrite it? No (no terminal to ask; --yes answers yes).");
    expect(stderr).toContain("Overwrite it with --force or --yes.");
    expect(await readFile(project(), "utf8")).toBe("{}");
  });

  it("a person is asked, and no is the default", async () => {
    await writeFile(project(), "{}");
    const { code, stderr } = await cli.run(["init", "-c", "iris"], { tty: TERMINAL, keys: ["\r"] });
    expect([code, stderr]).toEqual([2, expect.stringContaining("Overwrite it?")]);
    expect(await readFile(project(), "utf8")).toBe("{}");
  });
});

describe("24: a license is accepted by a person alone", () => {
  it.each([
    ["--yes", {}, ["--yes"]],
    ["an agent", { CLAUDECODE: "1" }, []],
    ["a CI job", { CI: "true" }, []],
  ])(
    "not by %s, also at a terminal: the answer has the link, the command, and action_required",
    async (_, env, flags) => {
      const args = ["agree", ...flags, "--format", "json"];
      const license = { licence: "mit", text: "MIT", digest: "0", url: "http://broker.test/agreement/mit" };
      await using broker = await startScriptedBroker({
        "/api/v1/agreements/mit": { json: { ...license, agreement: null } },
      });
      const { code, stdout } = await cli.run(args, {
        tty: TERMINAL,
        env: { ...env, CROWDAI_BROKER: broker.url },
      });
      expect(code).not.toBe(0);
      expect(JSON.parse(stdout).error).toMatchObject({
        code: "agreement_missing",
        details: {
          action_required: "agree",
          url: expect.stringContaining("/agreement/"),
          command: "crowdai agree",
        },
      });
    },
  );
});

describe("25: a coding agent", () => {
  it.each(AGENTS)(
    "is recognized by %s: no question, no color, and the next command as data",
    async (name) => {
      const options = { tty: TERMINAL, env: { [name]: "1", LANG: "C.UTF-8" } };
      const { code, stdout, stderr } = await cli.run(["submit", "--json", "[1]"], options);
      expect([code, stdout]).toEqual([0, `${cli.submissions()[0]!.id}\n`]);
      expect(stderr).toMatch(/^next_steps: \["crowdai leaderboard iris"\]$/m);
      expect(stdout + stderr).not.toContain("\u001b");
    },
  );

  it("gets JSON on one line with next_steps, on failure too, and tables as in a pipe", async () => {
    const options = { tty: TERMINAL, env: { CLAUDECODE: "1" } };
    const { stdout } = await cli.run(["submit", "--json", "[1]", "--format", "json"], options);
    expect(stdout.trimEnd()).not.toContain("\n");
    expect(JSON.parse(stdout).next_steps).toEqual(["crowdai leaderboard iris"]);
    const failed = await cli.run(["init"], { ...options, env: { ...options.env, CROWDAI_CHALLENGE: "" } });
    expect(failed.stderr).toContain("crowdai init --challenge <id>");
    expect((await cli.run(["submissions"], options)).stdout).toContain("\tiris\t");
  });

  it("is not assumed with AI_AGENT=0", async () => {
    const options = { tty: TERMINAL, env: { CLAUDECODE: "1", AI_AGENT: "0" } };
    expect((await cli.run(["submit", "--json", "[1]"], options)).stdout).toContain("Accuracy");
  });
});

describe("26: - is standard input wherever a file is expected", () => {
  it.each([
    [["submit", "-"]],
    [["submit", "--json", "-"]],
    [["evaluate", "-"]],
    [["evaluate", "--json", "-"]],
  ])("%j", async (args) => {
    const { code, stderr } = await cli.run(args, { stdin: "[1, 2]" });
    expect(code, stderr).toBe(0);
    expect(cli.submissions()[0]!.input).toMatchObject({ kind: "json" });
  });

  it("--model -, once", async () => {
    const args = ["submit", "--json", "[1]", "--model", "-"];
    const { code, stdout } = await cli.run([...args, "--dry-run", "--format", "json"], { stdin: "weights" });
    expect([code, JSON.parse(stdout).plan.models]).toEqual([
      0,
      [expect.objectContaining({ name: "model", size: 7 })],
    ]);
    expect((await cli.run([...args, "--model", "-"], { stdin: "x" })).stderr).toContain("read only once");
  });
});
