import type { Command } from "commander";
import type { Handler } from "../commands/handler.ts";

export interface CommandsOptions {
  version: string;
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

export function commandAdder(program: Command, { run }: CommandsOptions): Add {
  return (syntax, description, exampleLines, load) => {
    const command = program.command(syntax).description(description);
    command.helpOption("-h, --help", "show this help").addHelpText("before", examples(...exampleLines));
    command.action(async () => {
      const args = Object.fromEntries(
        command.registeredArguments.map((argument, i) => [argument.name(), command.processedArgs[i]]),
      );
      const [globally, here] = [defined(program.opts()), defined(command.opts())];
      await run(load, args, { ...globally, ...here, color: globally.color && here.color }, command);
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
