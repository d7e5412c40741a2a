import type { Add } from "./add-command.ts";
import { addCiOptions } from "./ci-options.ts";
import { challengeOption } from "./common-options.ts";
import { collect, finiteNumber, positiveNumber } from "./option-values.ts";

/** Adds the commands that make submissions, follow them and cancel them. */
export function addSubmitCommands(add: Add): void {
  const submit = add(
    "submit",
    "Submit a file or a JSON value and wait for its score.",
    [
      "crowdai submit predictions.csv",
      "crowdai submit predictions.csv -m 'deeper trees' --min-score 0.9",
      "python predict.py | crowdai submit -",
      "crowdai submit --json '[0, 1, 2]' --no-wait",
      "crowdai submit predictions.csv --code . --dry-run",
      "crowdai submit predictions.csv --model model.onnx",
      "crowdai submit predictions.csv --spool",
    ],
    async () => (await import("../commands/submit.ts")).submit,
  )
    .argument("[file]", "file to submit, or - for standard input")
    .option("--json <text>", "submit this JSON value instead of a file; - reads it from standard input")
    .addOption(challengeOption())
    .option("--round <id>", "round to submit to (default: the open round)")
    .option("-m, --message <text>", "message to store with the submission")
    .option("--code [dir]", "include the code in this folder (default: the current project)")
    .option("--no-code", "do not include code, even if crowdai.json asks for it")
    .option("--publish", "allow the code to be published when the challenge closes")
    .option("--no-publish", "keep the code private")
    .option("--allow-secrets", "include the code even if it seems to contain secrets")
    .option(
      "--model <file>",
      "model file to store with the submission, or - for standard input (repeatable)",
      collect,
    )
    .option("--no-wait", "return as soon as the submission is accepted")
    .option("--timeout <seconds>", "maximum time to wait for the grade", positiveNumber)
    .option("--notify", "show a notification when it is graded or failed")
    .option("--min-score <score>", "exit with code 7 if the score is worse than this", finiteNumber)
    .option("--check", "run the challenge's check before sending anything (default: if it has one)")
    .option("--no-check", "leave the check to the grader")
    .option("--dry-run", "check the submission and show what would be sent, without sending it")
    .option(
      "--spool [dir]",
      "seal the submission in this folder instead of sending it (default: crowdai-spool)",
    );

  add(
    "sync",
    "Send the submissions that `submit --spool` sealed, each once and in order.",
    ["crowdai sync", "crowdai sync /media/usb/crowdai-spool --dry-run"],
    async () => (await import("../commands/sync.ts")).sync,
  )
    .argument("[folder]", "folder with sealed submissions (default: crowdai-spool)")
    .option("--dry-run", "check the sealed submissions without sending them")
    .option("--any-broker", "also send submissions sealed for another address of the broker");

  const check = add(
    "check",
    "Check a file or a JSON value without submitting it. It costs no slot.",
    [
      "crowdai check predictions.csv",
      "python predict.py | crowdai check -",
      "crowdai check --json '[0, 1, 2]'",
    ],
    async () => (await import("../commands/check.ts")).check,
  )
    .argument("[file]", "file to check, or - for standard input")
    .option("--json <text>", "check this JSON value instead of a file")
    .addOption(challengeOption())
    .option("--local", "check only on this machine; send nothing")
    .option("--round <id>", "round in which the evaluator checks it (default: the open round)")
    .option("--timeout <seconds>", "maximum time to wait for the evaluator", positiveNumber);

  const run = add(
    "run",
    "Run an agent that steps the environment of a challenge, and show its score.",
    [
      "crowdai run python3 agent.py",
      "crowdai run node agent.js -c pendulum -m 'PPO, 2M steps' --min-score -200",
      "crowdai run -c pendulum -- python3 agent.py --checkpoint best.pt",
    ],
    async () => (await import("../commands/run.ts")).run,
  )
    .argument(
      "[command...]",
      "command of the agent (default: code.command of crowdai.json); after -- with its own options",
    )
    .addOption(challengeOption())
    .option("--round <id>", "round to submit to (default: the open round)")
    .option("-m, --message <text>", "message to store with the submission")
    .option("--min-score <score>", "exit with code 7 if the score is worse than this", finiteNumber)
    .option("--timeout <seconds>", "stop the agent if it has not finished after this time", positiveNumber)
    .option(
      "--agent-files <dir>",
      "write crowdai_agent.py and crowdai-agent.js into this folder, and run nothing",
    );

  const evaluate = add(
    "evaluate",
    "Call an evaluator function. The result does not count for the leaderboard.",
    [
      "crowdai evaluate --json '[5.1, 3.5, 1.4, 0.2]'",
      "crowdai evaluate batch.json --function classify --parallel",
      "crowdai evaluate --json '[5.1, 3.5, 1.4, 0.2]' --min-score 0.9",
    ],
    async () => (await import("../commands/evaluate.ts")).evaluate,
  )
    .argument("[file]", "file with a JSON value, or - for standard input")
    .option("--json <text>", "pass this JSON value instead of a file; - reads it from standard input")
    .option("--function <name>", "function to call (default: evaluate)")
    .option("--parallel", "evaluate the items of a JSON array in parallel; print the answers in order")
    .addOption(challengeOption())
    .option("--round <id>", "round to evaluate in (default: the open round)")
    .option("--timeout <seconds>", "maximum time to wait for the answer", positiveNumber)
    .option("--min-score <score>", "exit with code 7 if a score is worse than this", finiteNumber);

  const watch = add(
    "watch",
    "Follow a submission until it is graded.",
    ["crowdai watch 7h3k9m2p4q6r8s1t --notify", "crowdai watch 7h3k9m2p4q6r8s1t --format ndjson"],
    async () => (await import("../commands/watch.ts")).watch,
  )
    .argument("<id>", "submission")
    .option("--timeout <seconds>", "maximum time to wait for the grade", positiveNumber)
    .option("--notify", "show a notification when it is graded or failed")
    .option("--min-score <score>", "exit with code 7 if the score is worse than this", finiteNumber);

  for (const command of [submit, check, run, evaluate, watch]) addCiOptions(command);

  add(
    "cancel",
    "Cancel a submission that is not graded yet.",
    ["crowdai cancel 7h3k9m2p4q6r8s1t"],
    async () => (await import("../commands/cancel.ts")).cancel,
  ).argument("<id>", "submission");
}
