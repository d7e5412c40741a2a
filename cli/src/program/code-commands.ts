import type { Add } from "./add-command.ts";

/** Adds the commands for the code of submissions and its publication. */
export function addCodeCommands(add: Add): void {
  add(
    "publish",
    "Publish a submission's code under the MIT license when the challenge closes.",
    ["crowdai publish 7h3k9m2p4q6r8s1t"],
    async () => (await import("../commands/publish.ts")).publish,
  ).argument("<id>", "submission");
  add(
    "unpublish",
    "Withdraw a submission from publication (until the challenge closes).",
    ["crowdai unpublish 7h3k9m2p4q6r8s1t"],
    async () => (await import("../commands/publish.ts")).unpublish,
  ).argument("<id>", "submission");
  add(
    "diff",
    "Compare the code of two submissions, your own or published ones.",
    [
      "crowdai diff 7h3k9m2p4q6r8s1t 9m2p4q6r8s1t7h3k",
      "crowdai diff 7h3k9m2p4q6r8s1t 9m2p4q6r8s1t7h3k --stat",
    ],
    async () => (await import("../commands/diff.ts")).diff,
  )
    .argument("<from>", "submission")
    .argument("<to>", "submission")
    .option("--stat", "show only the number of changed lines in each file")
    .option("--name-only", "show only the names of changed files");
  add(
    "clone",
    "Clone the code of a submission into a new folder.",
    ["crowdai clone 7h3k9m2p4q6r8s1t", "crowdai clone 7h3k9m2p4q6r8s1t ./solution"],
    async () => (await import("../commands/clone.ts")).clone,
  )
    .argument("<id>", "submission, your own or a published one")
    .argument("[folder]", "target folder (default: named after challenge and submission)");
  add(
    "fork",
    "Fork the repository of a submission, on its code host or as a local clone.",
    ["crowdai fork 7h3k9m2p4q6r8s1t", "crowdai fork --remote git@github.com:ada/iris.git"],
    async () => (await import("../commands/fork.ts")).fork,
  )
    .argument("[id]", "submission (default: your latest one with code)")
    .option("--dir <folder>", "target folder (default: named after challenge and submission)")
    .option("--remote <url>", "your own repository, added as the remote `mine`");
  add(
    "agree",
    "Read and accept the MIT license, which publishing requires.",
    ["crowdai agree", "crowdai agree --show --format json"],
    async () => (await import("../commands/agree.ts")).agree,
  )
    .argument("[words...]")
    .option("--show", "list your agreements: when, where and from which IP address")
    // No flag agrees: each gets an answer that says so.
    .allowUnknownOption();
}
