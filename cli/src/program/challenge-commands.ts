import type { Add } from "./add-command.ts";
import { challengeArgument } from "./common-options.ts";
import { wholeNumber } from "./option-values.ts";

/** Adds the commands that show challenges and download their data. */
export function addChallengeCommands(add: Add): void {
  add(
    "challenges",
    "List the challenges on the broker.",
    ["crowdai challenges"],
    async () => (await import("../commands/challenges.ts")).challenges,
  );
  add(
    "challenge",
    "Show a challenge: its rounds, limits and accepted inputs.",
    ["crowdai challenge iris"],
    async () => (await import("../commands/challenge.ts")).challenge,
  ).addArgument(challengeArgument());
  add(
    "data",
    "Download the public data of a challenge, except files that you already have.",
    ["crowdai data iris", "crowdai data iris --dir ./input"],
    async () => (await import("../commands/data.ts")).data,
  )
    .addArgument(challengeArgument())
    .option("--dir <folder>", "folder to download into (default: named after the challenge)")
    .option("--force", "overwrite existing files that differ");
  add(
    "leaderboard",
    "Show the leaderboard of a challenge.",
    [
      "crowdai leaderboard iris --limit 10",
      "crowdai leaderboard --round 2 --format json",
      "crowdai leaderboard iris --ongoing --previous",
      "crowdai leaderboard iris --format csv > board.csv",
    ],
    async () => (await import("../commands/leaderboard.ts")).leaderboard,
  )
    .addArgument(challengeArgument())
    .option("--limit <n>", "maximum number of rows (default: 20)", wholeNumber)
    .option("--round <id>", "round to show (default: the open round, or the latest)")
    .option("--ongoing", "include submissions made after the end of the round")
    .option("--previous", "show the leaderboard as it was one ranking window ago");
  add(
    "limits",
    "Show how many submissions you have left and when the next slot is free.",
    ["crowdai limits iris"],
    async () => (await import("../commands/limits.ts")).limits,
  )
    .addArgument(challengeArgument())
    .option("--round <id>", "round to show (default: the open round)");
}
