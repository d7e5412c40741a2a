import { Argument } from "commander";
import type { Add } from "./add-command.ts";
import { positiveNumber, wholeNumber } from "./option-values.ts";

/** Adds the commands that show the participant's own submissions. */
export function addSubmissionCommands(add: Add): void {
  add(
    "submissions",
    "List your submissions, newest first.",
    ["crowdai submissions iris", "crowdai submissions --limit 100 --quiet"],
    async () => (await import("../commands/submissions.ts")).submissions,
  )
    .addArgument(new Argument("[id]", "challenge (default: all challenges)"))
    .option("--limit <n>", "maximum number of submissions", wholeNumber, 20);
  add(
    "show",
    "Show a submission: its state, score and rank, and why it is waiting or failed.",
    ["crowdai show 7h3k9m2p4q6r8s1t"],
    async () => (await import("../commands/show.ts")).show,
  ).argument("<id>", "submission");
  add(
    "select",
    "Select a submission for the final ranking of its round, which ranks by hidden scores.",
    ["crowdai select 7h3k9m2p4q6r8s1t", "crowdai select 7h3k9m2p4q6r8s1t --remove"],
    async () => (await import("../commands/select.ts")).select,
  )
    .argument("<id>", "submission")
    .option("--remove", "remove it from your selection");
  add(
    "artifacts",
    "List or download the models and artifacts of a submission.",
    ["crowdai artifacts 7h3k9m2p4q6r8s1t", "crowdai artifacts 7h3k9m2p4q6r8s1t --dir ./artifacts"],
    async () => (await import("../commands/artifacts.ts")).artifacts,
  )
    .argument("<id>", "submission")
    .option("--dir <folder>", "download the files into this folder")
    .option("--force", "overwrite existing files that differ");
  add(
    "logs",
    "Print what the code or agent of a submission printed, and the evaluator's log.",
    ["crowdai logs 7h3k9m2p4q6r8s1t"],
    async () => (await import("../commands/logs.ts")).logs,
  ).argument("<id>", "submission");
  add(
    "replay",
    "Step the log of an agent's session again, and compare observations and rewards.",
    ["crowdai replay 7h3k9m2p4q6r8s1t"],
    async () => (await import("../commands/replay.ts")).replay,
  )
    .argument("<id>", "submission")
    .option("--timeout <seconds>", "maximum time to wait for the replay", positiveNumber);
}
