import { CrowdaiError, suggest } from "@crowdai/shared";
import type { Context } from "../context.ts";
import { createProgram } from "../program.ts";

export const EXIT_CODES: readonly [number, string][] = [
  [0, "done; for a submission that was waited for: graded"],
  [1, "something unexpected happened"],
  [2, "the command is not well formed, or names something that does not exist"],
  [3, "not signed in, or not allowed"],
  [4, "refused by the rules: limit, closed round, wrong file"],
  [5, "broker or network unavailable"],
  [6, "grading failed"],
  [7, "the score is below --min-score"],
  [8, "still pending when the wait ended"],
  [130, "interrupted; a submission that was accepted goes on"],
];

export const ENVIRONMENT: readonly [string, string][] = [
  ["CROWDAI_API_KEY", "the API key; wins over the one that `crowdai login` keeps"],
  ["CROWDAI_BROKER", "address of the broker"],
  ["CROWDAI_CHALLENGE", "the challenge"],
  ["CROWDAI_CONFIG_DIR", "folder of the user's settings and keys"],
  ["CROWDAI_DEBUG", "1 adds to an error where it happened"],
  ["CI", "nothing asks and nothing moves"],
  ["NO_COLOR, TERM=dumb", "no colours"],
  ["FORCE_COLOR, CLICOLOR_FORCE", "colours in a pipe too"],
  ["HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "proxy to reach the broker through"],
];

export async function help(context: Context, args: { topic?: string }): Promise<number> {
  const { terminal } = context;
  if (args.topic === "exit-codes") {
    terminal.present({
      json: { exit_codes: EXIT_CODES.map(([code, meaning]) => ({ code, meaning })) },
      ndjson: EXIT_CODES.map(([code, meaning]) => ({ code, meaning })),
      quiet: EXIT_CODES.map(([code]) => String(code)),
      text: () => terminal.answer(list(EXIT_CODES)),
    });
    return 0;
  }
  if (args.topic === "environment") {
    terminal.present({
      json: { environment: ENVIRONMENT.map(([name, meaning]) => ({ name, meaning })) },
      ndjson: ENVIRONMENT.map(([name, meaning]) => ({ name, meaning })),
      quiet: ENVIRONMENT.map(([name]) => name),
      text: () => {
        terminal.answer(list(ENVIRONMENT));
        terminal.answer(
          "\nA setting is taken from the first of: flag, environment, nearest crowdai.json, user's config.json, default.",
        );
      },
    });
    return 0;
  }
  let text = "";
  const program = createProgram({
    version: context.version,
    writeOut: (part) => {
      text += part;
    },
    run: async () => {},
  });
  const named = args.topic === undefined ? program : program.commands.find((c) => c.name() === args.topic);
  if (!named)
    throw unknownTopic(
      args.topic!,
      program.commands.map((c) => c.name()),
    );
  named.outputHelp();
  context.stdout.write(text);
  return 0;
}

function list(rows: readonly (readonly [string | number, string])[]): string {
  const width = Math.max(...rows.map(([name]) => String(name).length));
  return rows.map(([name, meaning]) => `${String(name).padEnd(width)}  ${meaning}`).join("\n");
}

function unknownTopic(topic: string, commands: string[]): CrowdaiError {
  const near = suggest(topic, [...commands, "exit-codes", "environment"]);
  return new CrowdaiError("usage", `There is no help on "${topic}".`, {
    next: near ? `Did you mean ${near}?` : "See `crowdai --help`.",
  });
}
