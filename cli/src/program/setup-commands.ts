import { Argument, Option } from "commander";
import type { Add } from "./add-command.ts";
import { challengeOption } from "./common-options.ts";
import { collect } from "./option-values.ts";

const CI_HELP = `
A subject names one repository: github:owner/repo or gitlab:group/project. This
trusts jobs on every branch and tag, but not those of pull or merge requests. To
trust fewer jobs, or pull or merge requests, add a ref or an environment:
  github:ada/iris@main                     the branch main
  github:ada/iris@refs/tags/v*             tags that start with v
  github:ada/iris@pull_request             pull requests (GitLab: @merge_request)
  github:ada/iris:environment:production   jobs of an environment

A trusted job needs no key: on GitHub the permission \`id-token: write\`, on
GitLab an ID token in CROWDAI_ID_TOKEN. Its session lasts 15 minutes.`;

/** Adds the commands for signing in and setting up. */
export function addSetupCommands(add: Add): void {
  // Accepted only to be refused with a reason.
  const keyOnTheCommandLine = (flags: string) => new Option(flags).hideHelp();
  add(
    "login",
    "Sign in with an API key and store it in the keychain.",
    ["crowdai login", "crowdai login --with-token < key.txt", "crowdai login --web"],
    async () => (await import("../commands/login.ts")).login,
  )
    .argument("[key...]")
    .option("--with-token", "read the API key from standard input")
    .option("--web", "show a code, and get a key once you confirm it on the broker's page")
    .addOption(keyOnTheCommandLine("--key [key]"))
    .addOption(keyOnTheCommandLine("--api-key [key]"))
    .addOption(keyOnTheCommandLine("--token [key]"));
  add(
    "join",
    "Join challenges by an organizer's link, and store the API key that you get.",
    ["crowdai join https://crowdai.example/join/<code>", "crowdai join - --name ada < link.txt"],
    async () => (await import("../commands/join.ts")).join,
  )
    .argument("[url]", "join link; - reads it from standard input")
    .option("--name <name>", "your name on the leaderboard");
  add(
    "logout",
    "Sign out and delete the stored API key.",
    ["crowdai logout"],
    async () => (await import("../commands/logout.ts")).logout,
  );
  add(
    "profile",
    "Show or change what leaderboards show beside your name.",
    [
      "crowdai profile",
      'crowdai profile --name "Ada Lovelace" --affiliation "Analytical Society"',
      "crowdai profile --picture ada.jpg",
    ],
    async () => (await import("../commands/profile.ts")).profile,
  )
    .option("--name <name>", 'shown name, beside the name of the account ("" removes it)')
    .option("--affiliation <text>", 'where you work or study ("" removes it)')
    .option("--link <url>", 'your page, https or http ("" removes it)')
    .option("--picture <file>", "picture: PNG, JPEG, GIF, WebP or AVIF, at most 8 MB")
    .option("--remove-picture", "remove the picture")
    .option("--clear", "remove the whole profile");
  add(
    "whoami",
    "Show the signed-in account and where its API key comes from.",
    ["crowdai whoami"],
    async () => (await import("../commands/whoami.ts")).whoami,
  );
  add(
    "ci",
    "Let CI jobs submit as you without a stored key.",
    [
      "crowdai ci trust github:ada/iris@main",
      "crowdai ci trust gitlab:team/iris:environment:production",
      "crowdai ci list",
      "crowdai ci untrust github:ada/iris@main",
    ],
    async () => (await import("../commands/ci.ts")).ci,
  )
    .addArgument(new Argument("<action>", "action").choices(["trust", "list", "untrust"]))
    .argument("[subject]", "repository, optionally with @<branch or ref> and :environment:<name>")
    .addHelpText("after", CI_HELP);
  add(
    "init",
    "Create crowdai.json, which sets the challenge for this folder.",
    ["crowdai init", "crowdai init --challenge iris --author 'Ada Lovelace'"],
    async () => (await import("../commands/init.ts")).init,
  )
    .addOption(challengeOption())
    .option("--author <name>", "author of the solution (repeatable)", collect)
    .option("--description <text>", "description of the solution")
    .option("--force", "overwrite an existing crowdai.json")
    .option("-y, --yes", "do not prompt: overwrite, and omit settings that no option gives");
  add(
    "doctor",
    "Check the broker, the API key, the clock, git and this machine.",
    ["crowdai doctor", "crowdai doctor --strict --format json"],
    async () => (await import("../commands/doctor.ts")).doctor,
  ).option("--strict", "treat warnings as failures");
  add(
    "config",
    "List the settings and their sources, or change your own.",
    ["crowdai config", "crowdai config set broker https://crowdai.example", "crowdai config unset broker"],
    async () => (await import("../commands/config.ts")).config,
  )
    .addArgument(new Argument("[action]", "action (default: list)").choices(["list", "get", "set", "unset"]))
    .argument("[name]", "setting: broker or challenge")
    .argument("[value]", "new value");
  add(
    "completion",
    "Print a completion script for your shell.",
    [
      "source <(crowdai completion bash)",
      "crowdai completion fish > ~/.config/fish/completions/crowdai.fish",
    ],
    async () => (await import("../commands/completion.ts")).completion,
  ).addArgument(new Argument("<shell>", "shell").choices(["bash", "zsh", "fish", "powershell"]));
  add(
    "help",
    "Show help on a command, the exit codes or the environment variables.",
    ["crowdai help submit", "crowdai help exit-codes", "crowdai help environment"],
    async () => (await import("../commands/help.ts")).help,
  ).argument("[topic]", "command, exit-codes or environment");
}
