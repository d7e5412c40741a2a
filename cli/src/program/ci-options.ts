import type { Command } from "commander";

/** Adds the options of a command that reports its outcome to a CI system. */
export function addCiOptions(command: Command): void {
  command
    .optionsGroup("In CI:")
    .option("--junit <file>", "write a JUnit report")
    .option("--metrics <file>", "write score and rank as OpenMetrics")
    .option("--no-ci", "write no summary, outputs, annotations or crowdai.env");
}
