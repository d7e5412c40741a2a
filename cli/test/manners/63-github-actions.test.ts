import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useCommandLine } from "../command-line.ts";
import { parseOutputs } from "./github-runner.ts";

const cli = useCommandLine();

/** Runs a step of a job in GitHub Actions; `GITHUB_WORKSPACE` is the folder. */
async function step(args: readonly string[], env: Record<string, string> = {}) {
  const files = {
    GITHUB_OUTPUT: join(cli.folder, "output"),
    GITHUB_STEP_SUMMARY: join(cli.folder, "summary.md"),
  };
  const ran = await cli.run(args, {
    env: { CI: "true", GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: cli.folder, ...files, ...env },
  });
  const read = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : "");
  return {
    ...ran,
    outputs: parseOutputs(read(files.GITHUB_OUTPUT)),
    summary: read(files.GITHUB_STEP_SUMMARY),
  };
}
const annotations = (stderr: string) => stderr.split("\n").filter((line) => line.startsWith("::error"));
const SUBMIT = ["submit", "--json", "[1]", "-c", "iris"];

describe("crowdai submit in GitHub Actions", () => {
  it("writes a summary and the outputs of the step, and keeps stdout a single document", async () => {
    const { code, stdout, outputs, summary } = await step([
      ...SUBMIT,
      "-m",
      "a|b @team\n<script>",
      "--format",
      "json",
    ]);
    const document = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(outputs).toEqual({
      id: document.id,
      score: "0.9",
      rank: "3",
      status: "graded",
      url: document.submission.url,
      error: "",
      "exit-code": "0",
    });
    expect(summary).toContain("### crowdAI: iris\n\n**Accuracy: 0.900** · rank 3 of 17 (up 2)\n");
    expect(summary).toContain(
      "| Message | <code>a&#124;b &#64;team</code><br><code>&#60;script&#62;</code> |\n",
    );
  });

  it("hides the key before anything else, whatever is in it", async () => {
    const { stderr } = await step(SUBMIT);
    expect(stderr.split("\n")[0]).toBe(`::add-mask::${cli.broker.key}`);
    const odd = await step(SUBMIT, { CROWDAI_API_KEY: "100%\n::set-output name=id::x" });
    expect(odd.stderr.split("\n")[0]).toBe("::add-mask::100%25%0A::set-output name=id::x");
    expect((await step(SUBMIT, { CROWDAI_API_KEY: "a" })).stderr).not.toContain("add-mask");
  });

  it("annotates the line that a refusal names", async () => {
    mkdirSync(join(cli.folder, "out"));
    writeFileSync(join(cli.folder, "out/50%,a.json"), "[1,\n 2,\n oops]");
    const { code, stderr, outputs } = await step(["evaluate", "out/50%,a.json", "-c", "iris"]);
    expect(code).toBe(4);
    expect(annotations(stderr)).toEqual([
      expect.stringMatching(
        /^::error title=crowdAI%3A value_not_json,file=out\/50%25%2Ca.json,line=3,col=2::.*line 3/,
      ),
    ]);
    expect(outputs).toMatchObject({ status: "not_submitted", error: "value_not_json", "exit-code": "4" });
  });

  it("annotates the line of the submitted file that an evaluator names, and no file for other errors", async () => {
    writeFileSync(join(cli.folder, "predictions.csv"), "id\n1\n");
    const place = async (message: string) => {
      cli.broker.grader = () => ({ error: { code: "rejected", message } });
      const { stderr } = await step(["submit", "predictions.csv", "-c", "iris"]);
      return /^::error title=crowdAI%3A rejected(\S*)::/m.exec(stderr)?.[1];
    };
    expect(await place('line 16: unknown species "sibirica"')).toBe(",file=predictions.csv,line=16");
    expect(await place("row 16 is too long")).toBe("");
    Object.assign(cli.broker.challenge, { check: { schema: null, csv: { columns: ["id", "label"] } } });
    const checked = await step(["submit", "predictions.csv", "-c", "iris"]);
    expect(annotations(checked.stderr)[0]).toMatch(/check_failed,file=predictions\.csv,line=1::/);
    Object.assign(cli.broker.challenge, { check: null });
    const { stderr } = await step(["submit", "predictions.csv", "-c", "iirs"]);
    expect(annotations(stderr)).toEqual([
      expect.stringMatching(/^::error title=crowdAI%3A challenge_unknown::/),
    ]);
  });

  it("annotates each line that a check finds wrong, and reports what passes", async () => {
    cli.broker.challenge.check = {
      csv: { columns: ["id", { name: "y", type: "number" }] },
      schema: null,
      function: null,
      charge: false,
    };
    const row = (i: number) => `${i},${i % 2 ? "cat" : i}\n`;
    writeFileSync(
      join(cli.folder, "bad.csv"),
      `id,y\n${Array.from({ length: 40 }, (_, i) => row(i)).join("")}`,
    );
    writeFileSync(join(cli.folder, "good.csv"), "id,y\n1,2\n");
    for (const command of ["check", "submit"]) {
      const { code, stderr, summary } = await step([command, "bad.csv", "-c", "iris"]);
      expect(code).toBe(4);
      expect(summary).toContain("\n\nNothing was sent, and no slot was charged. Submissions left&#58; ");
      expect(annotations(stderr)).toHaveLength(10);
      expect(annotations(stderr)[1]).toMatch(
        /^::error title=crowdAI%3A check_failed,file=bad.csv,line=5::row 5, column `y`: /,
      );
    }
    const { outputs, summary } = await step(["check", "good.csv", "-c", "iris"]);
    expect(outputs).toMatchObject({ status: "checked", error: "", "exit-code": "0" });
    expect(summary).toContain("The input passes the check. No slot was charged.");
  });

  it("annotates wrong usage, and nothing with --no-ci or CROWDAI_CI=0", async () => {
    expect(annotations((await step(["submit", "--jason", "1"])).stderr)).toHaveLength(1);
    for (const [args, env] of [
      [["submit", "--jason", "1", "--no-ci"], {}],
      [["submit", "nothing.csv", "-c", "iris", "--no-ci"], {}],
      [["submit", "nothing.csv", "-c", "iris"], { CROWDAI_CI: "0" }],
      [["show", "nothing"], {}],
    ] as const) {
      const { stderr } = await step(args, {
        ...env,
        GITHUB_OUTPUT: "/nowhere",
        GITHUB_STEP_SUMMARY: "/nowhere",
      });
      expect(stderr).not.toMatch(/^::(error|warning)/m);
    }
  });

  it("lets no text from outside give commands to the runner", async () => {
    const hostile = "::set-output name=id::x\n  ::add-mask::0\r\n##[error]x www.evil.example";
    cli.broker.grader = () => ({ error: { code: "rejected", message: `${hostile}${"!".repeat(100_000)}` } });
    const { code, stdout, stderr, outputs, summary } = await step([
      ...SUBMIT,
      "-m",
      hostile,
      "--format",
      "json",
    ]);
    expect(code).toBe(6);
    const commands = `${stdout}\n${stderr}`.split("\n").filter((line) => /^\s*::|##\[/.test(line));
    expect(commands.map((line) => line.slice(0, 12))).toEqual(["::add-mask::", "::error titl"]);
    expect(JSON.parse(stdout).submission.message).toBe(hostile);
    expect(commands[1]).toContain("%0A");
    expect(commands[1]!.length).toBeLessThan(6_000);
    expect(outputs).toMatchObject({ status: "failed", error: "rejected", score: "" });
    expect(summary.length).toBeLessThan(30_000);
    expect(summary).toContain("evil.example");
    expect(summary).not.toContain("www.evil.example");
  });

  it("warns about files that cannot be written, and does not fail", async () => {
    writeFileSync(join(cli.folder, "full"), "x".repeat(1024 * 1024));
    for (const path of [cli.folder, "/nowhere/at/all", join(cli.folder, "full")]) {
      const { code, stderr } = await step(SUBMIT, { GITHUB_STEP_SUMMARY: path, GITHUB_OUTPUT: path });
      expect(code).toBe(0);
      expect(stderr).toContain("Accuracy: 0.900");
      expect(
        stderr.match(/^::warning title=crowdAI::The (job summary|output of the step) was not written/gm),
      ).toHaveLength(2);
    }
  });

  it("appends to what earlier steps wrote", async () => {
    writeFileSync(join(cli.folder, "summary.md"), "no line end");
    writeFileSync(join(cli.folder, "output"), "a=1\n");
    const { outputs, summary } = await step(["submit", "--json", "[1]", "-c", "iris", "--no-wait"]);
    expect(summary).toMatch(/^no line end\n### crowdAI: iris\n/);
    expect(outputs).toMatchObject({ a: "1", status: "submitted" });
  });

  it("reports answers of crowdai evaluate", async () => {
    cli.broker.grader = () => ({ score: 0.5, data: { label: "a|b" } });
    const one = await step(["evaluate", "--json", "1", "-c", "iris"]);
    expect(one.outputs).toMatchObject({ score: "0.5", status: "graded" });
    const many = await step(["evaluate", "--json", "[1,2]", "--parallel", "-c", "iris"]);
    expect(many.summary).toContain("**2 of 2 answers**");
    expect(many.summary).toContain(
      "| 2 | <code>&#123;&#34;label&#34;&#58;&#34;a&#124;b&#34;&#125;</code> | 0.5 |",
    );
  });
});
