import type { Command } from "commander";
import type { Handler } from "../commands/handler.ts";
import { applyVariables } from "../options/option-variables.ts";
import { DOCS } from "../terminal/links.ts";
import { withoutJson } from "./common-options.ts";

export interface CommandsOptions {
  version: string;
  /** Sets the options that the command line leaves out. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Called with the loader of the chosen command's module, which is imported only then. */
  run: (
    load: () => Promise<Handler>,
    args: Record<string, unknown>,
    options: Record<string, unknown>,
    command: Command,
  ) => Promise<void>;
}

/** Adds a command and returns it, for its arguments and options. */
export type Add = (
  syntax: string,
  description: string,
  exampleLines: readonly string[],
  load: () => Promise<Handler>,
) => Command;

export function commandAdder(program: Command, { env = {}, run }: CommandsOptions): Add {
  return (syntax, description, exampleLines, load) => {
    const command = program.command(syntax).description(description);
    command
      .helpOption("-h, --help", "show this help")
      .addHelpText("before", examples(...exampleLines))
      .addHelpText("after", `\nDocumentation: ${DOCS}/commands.md#crowdai-${command.name()}`);
    command.action(async () => {
      applyVariables(command, env);
      const args = Object.fromEntries(
        command.registeredArguments.map((argument, i) => [argument.name(), command.processedArgs[i]]),
      );
      const [globally, here] = [defined(program.opts()), defined(command.opts())];
      const options: Record<string, unknown> = { ...globally, ...here, color: globally.color && here.color };
      await run(load, args, withoutJson(command, options), command);
    });
    return command;
  };
}

export function examples(...lines: readonly string[]): string {
  return `Examples:\n${lines.map((line) => `  $ ${line}\n`).join("")}`;
}

/** Returns the arguments of a command for its usage line, without those that exist only to be refused. */
export function usageOf(command: Command): string {
  if (command.name() === "login" || command.name() === "agree") return "";
  return command.registeredArguments
    .map((a) => {
      const name = a.variadic ? `${a.name()}...` : a.name();
      return a.required ? `<${name}>` : `[${name}]`;
    })
    .join(" ");
}

function defined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
