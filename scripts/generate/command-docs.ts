// Writes docs/commands.md from the syntax of the command line; with --check, says whether it is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command, Option } from "commander";
import { ENVIRONMENT, EXIT_CODES } from "../../cli/src/commands/help.ts";
import { optionVariables } from "../../cli/src/options/option-variables.ts";
import { createProgram } from "../../cli/src/program.ts";
import { root } from "../lib/root.ts";

const file = join(root, "docs", "commands.md");

export function commandDocs(): string {
  const program = createProgram({ version: "0.0.0", writeOut: () => {}, run: async () => {} });
  const common = new Set(program.options.map((option) => option.long));
  return `${[
    "# Commands",
    "What `crowdai <command> --help` prints, on one page. Output and its parts are described under [Output](output.md).",
    "## Options of every command",
    optionTable(program, () => true),
    `\`--json [fields]\` prints JSON: all of it, or these fields. On \`submit\` and \`evaluate\`, \`--json <text>\` is the value to send; use \`--fields\` there.`,
    ...program.commands.map((command) => commandText(command, common)),
    "## Exit codes",
    table(
      ["code", "meaning"],
      EXIT_CODES.map(([code, meaning]) => [String(code), meaning]),
    ),
    "## Environment variables",
    "Every option has a variable, which the tables above name: `1` or `0` for a switch (`0` for `--no-…`), else its value; a line for each value of an option that can be repeated. The command line takes precedence. Further variables:",
    table(
      ["variable", "meaning"],
      ENVIRONMENT.map(([name, meaning]) => [code(name), meaning]),
    ),
  ].join("\n\n")}\n`;
}

function commandText(command: Command, common: ReadonlySet<string | undefined>): string {
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  const examples = [...text.split("Usage:")[0]!.matchAll(/^ {2}\$ (.*)$/gm)].map(([, line]) => `    ${line}`);
  const places = command.registeredArguments.filter((argument) => argument.description);
  const own = optionTable(command, (option) => !common.has(option.long) && !isCommonJson(option));
  return [
    `## crowdai ${command.name()}`,
    command.description(),
    examples.join("\n"),
    `Usage: \`crowdai ${command.name()} ${command.usage()}\``,
    places.length > 0
      ? table(
          ["argument", "meaning"],
          places.map((argument) => [code(argument.name()), argument.description]),
        )
      : "",
    own,
  ]
    .filter(Boolean)
    .join("\n\n");
}

const isCommonJson = (option: Option) => option.long === "--json" && option.optional;

function optionTable(command: Command, isShown: (option: Option) => boolean): string {
  const variables = new Map(optionVariables(command).map(({ option, variable }) => [option, variable]));
  const rows = command.options
    .filter((option) => !option.hidden && isShown(option))
    .map((option) => {
      const { description, defaultValue, argChoices } = option;
      const meaning = [
        description,
        argChoices ? `: ${argChoices.join(", ")}` : "",
        defaultValue === undefined || typeof defaultValue === "boolean" ? "" : ` (default: ${defaultValue})`,
      ].join("");
      const variable = variables.get(option);
      return [code(option.flags), meaning, variable ? code(variable) : ""];
    });
  return rows.length === 0 ? "" : table(["option", "meaning", "variable"], rows);
}

const code = (text: string) => `\`${text}\``;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = commandDocs();
  if (!process.argv.includes("--check")) writeFileSync(file, wanted);
  else if (readFileSync(file, "utf8") !== wanted) {
    console.error("docs/commands.md is out of date: run node scripts/generate/command-docs.ts");
    process.exitCode = 1;
  }
}
