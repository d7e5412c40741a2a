import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useCommandLine } from "../command-line.ts";

const cli = useCommandLine();

const inGitlab = (args: readonly string[], env: Record<string, string> = {}) =>
  cli.run(args, { env: { CI: "true", GITLAB_CI: "true", ...env } });
const written = (name: string) => readFileSync(join(cli.folder, name), "utf8");
const visible = (text: string) => text.replaceAll("\r", "<CR>").replaceAll("\u001b", "<ESC>");
const SUBMIT = ["submit", "--json", "[1]", "-c", "iris"];

describe("crowdai submit in GitLab CI", () => {
  it("collapses the progress, and shows the outcome below", async () => {
    const { stdout, stderr } = await inGitlab(SUBMIT);
    const section =
      /section_start:(\d+):(\w+)\[collapsed=true\]<CR><ESC>\[0Kcrowdai submit\n([\s\S]*)section_end:\d+:\2<CR><ESC>\[0K\n([\s\S]*)$/;
    const [, at, , inside, below] = section.exec(visible(stderr)) ?? [];
    expect(Math.abs(Number(at) - Date.now() / 1000)).toBeLessThan(100);
    expect(inside).toContain("accepted.");
    expect(below).toContain("Submissions left:");
    expect(below).toMatch(/^Accuracy: 0.900\nRank: 3 of 17 /);
    expect(stdout).toMatch(/^\w{16}\n$/);
    for (const plain of [
      [...SUBMIT, "--quiet"],
      [...SUBMIT, "--no-ci"],
      ["limits", "iris"],
    ])
      expect((await inGitlab(plain)).stderr).not.toContain("section_");
    const failed = await inGitlab(["submit", "missing.csv", "-c", "iris"]);
    expect(visible(failed.stderr)).toMatch(/section_end:.*\nerror\[file_missing\]/);
  });

  it("writes crowdai.env with ASCII values of one line each", async () => {
    const { stdout } = await inGitlab([...SUBMIT, "--format", "json"]);
    const { id, submission } = JSON.parse(stdout);
    expect(written("crowdai.env")).toBe(
      [
        `CROWDAI_RESULT_ID=${id}`,
        "CROWDAI_RESULT_SCORE=0.9",
        "CROWDAI_RESULT_RANK=3",
        "CROWDAI_RESULT_STATUS=graded",
        `CROWDAI_RESULT_URL=${submission.url}`,
        "CROWDAI_RESULT_ERROR=",
        "CROWDAI_RESULT_EXIT_CODE=0",
        "",
      ].join("\n"),
    );
  });

  it("writes JUnit and metrics reports where told, also outside of CI", async () => {
    const reports = ["--junit", "junit.xml", "--metrics", "metrics.txt"];
    const { code } = await cli.run([...SUBMIT, ...reports, "--min-score", "0.95"]);
    expect(code).toBe(7);
    expect(written("junit.xml")).toContain('<testsuite name="crowdai" tests="1" failures="1" errors="0"');
    expect(written("junit.xml")).toContain('type="below_minimum"');
    expect(written("metrics.txt")).toMatch(/^crowdai_score\{challenge="iris"\} 0.9$/m);
    expect(written("metrics.txt")).toMatch(/^crowdai_rank\{challenge="iris"\} 3$[\s\S]*# EOF\n$/m);
  });

  it("escapes what evaluators say, and counts a fault of the challenge as an error", async () => {
    cli.broker.grader = () => ({
      error: { code: "evaluator_crashed", message: '</failure>&"\u0000\ud800\n]]>' },
    });
    const { code } = await inGitlab([...SUBMIT, "--junit", "junit.xml", "--metrics", "metrics.txt"]);
    expect(code).toBe(6);
    expect(written("junit.xml")).toContain('errors="1"');
    expect(written("junit.xml")).toContain('<error message="&lt;/failure&gt;&amp;&quot;\\x00');
    expect(written("metrics.txt")).toContain("crowdai_graded");
    expect(written("metrics.txt")).not.toContain("crowdai_score");
  });

  it("warns about reports that cannot be written, and does not fail", async () => {
    mkdirSync(join(cli.folder, "crowdai.env"));
    const { code, stderr } = await inGitlab([...SUBMIT, "--junit", "nowhere/junit.xml"]);
    expect(code).toBe(0);
    expect(stderr).toContain("crowdai.env was not written");
    expect(stderr).toContain("The JUnit report was not written");
  });
});
