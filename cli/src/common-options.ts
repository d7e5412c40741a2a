import { Argument, type Command, Option } from "commander";

export function addGlobalOptions(command: Command, version: string): void {
  command
    .optionsGroup("Options of every command:")
    .option("--broker <url>", "address of the broker")
    .addOption(new Option("--format <format>", "how to print the answer").choices(["text", "json", "ndjson"]))
    .option("-q, --quiet", "print ids only")
    .option("--no-color", "print without colours")
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "show this help");
}

export function challengeOption(): Option {
  return new Option("-c, --challenge <id>", "challenge (default: CROWDAI_CHALLENGE, then crowdai.json)");
}

export function challengeArgument(): Argument {
  return new Argument("[id]", "challenge (default: CROWDAI_CHALLENGE, then crowdai.json)");
}
