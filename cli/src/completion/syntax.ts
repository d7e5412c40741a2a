import type { Argument, Command, Option } from "commander";
import type { IdKind } from "./id-cache.ts";

/** The syntax of the command line, from which the completion scripts are made. */
export interface Syntax {
  commands: CommandSyntax[];
}

export interface CommandSyntax {
  name: string;
  description: string;
  options: OptionSyntax[];
  arguments: Values[];
}

export interface OptionSyntax {
  long: string;
  short: string | null;
  description: string;
  /** Null for an option without a value. */
  values: Values | null;
}

/** A value: one of these words, an id that the program knows, a file, a folder, or anything. */
export type Values = { words: readonly string[] } | { ids: IdKind } | "file" | "folder" | "any";

export function syntaxOf(program: Command): Syntax {
  const names = program.commands.map((command) => command.name());
  return {
    commands: program.commands.map((command) => ({
      name: command.name(),
      description: command.description(),
      options: [
        ...command.options.filter((option) => !option.hidden).map(optionSyntax),
        { long: "--help", short: "-h", description: "show this help", values: null },
      ],
      arguments: command.registeredArguments.map((argument) =>
        argument.name() === "topic" ? { words: [...names, "exit-codes", "environment"] } : valuesOf(argument),
      ),
    })),
  };
}

function optionSyntax(option: Option): OptionSyntax {
  return {
    long: option.long!,
    short: option.short ?? null,
    description: option.description,
    values: option.required || option.optional ? valuesOf(option) : null,
  };
}

function valuesOf(place: Option | Argument): Values {
  if (place.argChoices) return { words: place.argChoices };
  const isId = ("flags" in place ? place.flags : place.name()).match(/(^|<)(id|from|to)(>|$)/);
  if (isId && place.description.startsWith("submission")) return { ids: "submissions" };
  if (isId && place.description.startsWith("challenge")) return { ids: "challenges" };
  const name = "flags" in place ? (place.flags.match(/<(\w+)>/)?.[1] ?? "") : place.name();
  return name === "file" || name === "folder" ? name : "any";
}

/** Returns the words that are the same at all times, if a value has such. */
export function wordsOf(values: Values | null): readonly string[] {
  return values !== null && typeof values === "object" && "words" in values ? values.words : [];
}

/** Returns what ids a value takes, if it takes such. */
export function idsOf(values: Values | null): IdKind | null {
  return values !== null && typeof values === "object" && "ids" in values ? values.ids : null;
}

/** Returns the command that prints ids for a completion, one a line. */
export const idsCommand = (kind: IdKind): string => `command crowdai __complete ${kind} 2>/dev/null`;
