import type { Command } from "commander";

/** Adds the options of a command that reports its outcome to a CI system. */
export function addCiOptions(command: Command): void {
  command
    .optionsGroup("In CI:")
    .option("--comment", "write the outcome to a comment on the pull or merge request")
    .option("--comment-token <variable>", "variable with the token for --comment (see docs/ci.md)")
    .option("--comment-label <text>", "keep a separate comment, as for each job of a matrix")
    .option("--junit <file>", "write a JUnit report")
    .option("--metrics <file>", "write score and rank as OpenMetrics")
    .option("--no-ci", "write no summary, outputs, annotations or crowdai.env");
}
