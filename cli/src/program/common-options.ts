import { Argument, type Command, Option } from "commander";
import type { Format } from "../terminal/terminal.ts";

/** The options that every command has, `challenge` where it names one. */
export interface GlobalOptions {
  broker?: string;
  challenge?: string;
  format?: Format;
  quiet?: boolean;
  color?: boolean;
}

export function addGlobalOptions(command: Command, version: string): void {
  command
    .optionsGroup("Global options:")
    .option("--broker <url>", "address of the broker")
    .addOption(new Option("--format <format>", "output format").choices(["text", "json", "ndjson"]))
    .option("-q, --quiet", "print only ids")
    .option("--no-color", "disable colors")
    .version(version, "--version", "print the version")
    .helpOption("-h, --help", "show this help");
}

export function outputOptions(options: GlobalOptions): { format: Format; quiet: boolean; color: boolean } {
  return {
    format: options.format ?? "text",
    quiet: options.quiet ?? false,
    color: options.color ?? true,
  };
}

export function challengeOption(): Option {
  return new Option("-c, --challenge <id>", "challenge (default: CROWDAI_CHALLENGE, then crowdai.json)");
}

export function challengeArgument(): Argument {
  return new Argument("[id]", "challenge (default: CROWDAI_CHALLENGE, then crowdai.json)");
}
