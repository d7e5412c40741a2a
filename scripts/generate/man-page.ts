// Writes cli/crowdai.1, the manual page, from the syntax of the command line; with --check, says whether it
// is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command, Option } from "commander";
import { ENVIRONMENT, EXIT_CODES } from "../../cli/src/commands/help.ts";
import { createProgram } from "../../cli/src/program.ts";
import { DOCS, ISSUES } from "../../cli/src/terminal/links.ts";
import { root } from "../lib/root.ts";

const file = join(root, "cli", "crowdai.1");

export function manPage(): string {
  const program = createProgram({ version: "0.0.0", writeOut: () => {}, run: async () => {} });
  const common = new Set(program.options.map((option) => option.long));
  return `${[
    ".TH CROWDAI 1",
    ".SH NAME",
    "crowdai \\- submit to machine\\-learning challenges",
    ".SH SYNOPSIS",
    ".B crowdai",
    ".I command",
    "[options] [arguments]",
    ".SH DESCRIPTION",
    text(program.description()),
    ".PP",
    text("`crowdai <command> --help` describes a command."),
    ".SH COMMANDS",
    ...program.commands.flatMap((command) => commandLines(command, common)),
    ".SH OPTIONS OF EVERY COMMAND",
    ...program.options.filter((option) => !option.hidden).flatMap(optionLines),
    ".SH EXIT STATUS",
    ...EXIT_CODES.flatMap(([code, meaning]) => entry(String(code), meaning)),
    ".SH ENVIRONMENT",
    text("Every option has a variable too; `crowdai help environment` lists them."),
    ...ENVIRONMENT.flatMap(([name, meaning]) => entry(name, meaning)),
    ".SH SEE ALSO",
    text(`Documentation: ${DOCS}/README.md`),
    ".br",
    text(`Issues: ${ISSUES}`),
  ].join("\n")}\n`;
}

function commandLines(command: Command, common: ReadonlySet<string | undefined>): string[] {
  const own = command.options.filter(
    (option) => !option.hidden && !common.has(option.long) && !(option.long === "--json" && option.optional),
  );
  return [
    `.SS ${text(`crowdai ${command.name()} ${command.usage()}`)}`,
    text(command.description()),
    ...command.registeredArguments
      .filter((argument) => argument.description)
      .flatMap((argument) => entry(argument.name(), argument.description)),
    ...own.flatMap(optionLines),
  ];
}

function optionLines({ flags, description, argChoices }: Option): string[] {
  return entry(flags, argChoices ? `${description}: ${argChoices.join(", ")}` : description);
}

function entry(name: string, meaning: string): string[] {
  return [".TP", `.B ${text(name)}`, text(meaning)];
}

/** Returns text as roff source: no character of it is an instruction, and a hyphen can be copied as one. */
function text(plain: string): string {
  const line = plain
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll('"', "\\(dq")
    .replaceAll("`", "\\(ga")
    .replaceAll("…", "...")
    .replaceAll("\n", " ");
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = manPage();
  if (!process.argv.includes("--check")) writeFileSync(file, wanted);
  else if (readFileSync(file, "utf8") !== wanted) {
    console.error("cli/crowdai.1 is out of date: run node scripts/generate/man-page.ts");
    process.exitCode = 1;
  }
}
