import { existsSync } from "node:fs";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { writing } from "../config/file-unwritable.ts";
import { PROJECT_FILE, type ProjectConfig } from "../config/project-config.ts";
import { replaceFile } from "../config/replace-file.ts";
import type { Settings } from "../config/settings.ts";
import type { Connection } from "../connection/connection.ts";
import { confirm } from "../terminal/confirm.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { challengesSchema } from "./challenges.ts";
import type { CommandContext } from "./handler.ts";

interface Options {
  challenge?: string;
  author?: string[];
  description?: string;
  force?: boolean;
  yes?: boolean;
}

/** Writes crowdai.json in this folder, from the flags or from the answers of a person. */
export async function init(context: CommandContext, _args: object, options: Options): Promise<number> {
  const { io, terminal } = context;
  const path = join(io.cwd, PROJECT_FILE);
  const { yes = false, force = false } = options;
  const message = `${path} exists. Overwrite it?`;
  if (existsSync(path) && !force && !(await confirm(io, terminal, { message, otherwise: false, yes })))
    throw new CrowdaiError("usage", `${path} already exists.`, {
      next: "Overwrite it with --force or --yes.",
    });

  const config = await collect(context, options);
  await writing(path, () => replaceFile(path, `${JSON.stringify(config, null, 2)}\n`));
  terminal.present({
    json: { path, config },
    ndjson: [{ type: "config", path, config }],
    quiet: [path],
    text: () => terminal.answer(path),
  });
  terminal.next("crowdai challenge");
  return 0;
}

async function collect(context: CommandContext, options: Options): Promise<ProjectConfig> {
  const given = options.challenge ?? context.io.env.CROWDAI_CHALLENGE;
  if (given || options.yes || !context.terminal.isInteractive) {
    if (!given)
      throw new CrowdaiError(
        "challenge_missing",
        "No challenge was named, and there is no terminal to ask.",
        {
          next: "Run `crowdai init --challenge <id>`.",
        },
      );
    return projectConfig(context, { ...options, challenge: given });
  }
  return projectConfig(context, await askPerson(context, options));
}

function projectConfig({ io, connection }: CommandContext, answers: Options): ProjectConfig {
  const { broker, sources } = brokerOf(connection, join(io.cwd, PROJECT_FILE), answers);
  return {
    challenge_id: answers.challenge,
    authors: answers.author ?? [],
    description: answers.description ?? "",
    // A broker that was named for this command belongs to the folder; the default or the user's own does not.
    ...(sources.broker === "--broker" || sources.broker === "CROWDAI_BROKER" ? { broker } : {}),
  };
}

/** Ignores problems in the very crowdai.json that --force replaces. */
function brokerOf(
  connection: Connection,
  path: string,
  { force }: Options,
): Pick<Settings, "broker" | "sources"> {
  try {
    return connection.settings;
  } catch (error) {
    if (!force || !(error instanceof CrowdaiError) || error.details?.file !== path) throw error;
    return { broker: "", sources: { broker: "default", challenge: null, configDir: "default" } };
  }
}

async function askPerson(context: CommandContext, options: Options): Promise<Options> {
  const prompts = await import("@clack/prompts");
  const { stdin, stderr, signal } = context.io;
  const streams = { input: stdin, output: stderr, signal };
  const answered = <T>(answer: T): Exclude<T, symbol> => {
    if (prompts.isCancel(answer))
      throw new CrowdaiError("interrupted", "Interrupted. Nothing was written.", {
        next: "Run `crowdai init` again.",
      });
    return answer as Exclude<T, symbol>;
  };

  const choices = await knownChallenges(context);
  const challenge =
    choices.length > 0
      ? await prompts.select({ message: "Which challenge?", options: choices, ...streams })
      : await prompts.text({
          message: "Which challenge? (id)",
          validate: (text) => (text?.trim() ? undefined : "Enter the id of a challenge."),
          ...streams,
        });
  const id = answered(challenge).trim();
  const authors =
    options.author ??
    answered(await prompts.text({ message: "Who are the authors? (separated by commas)", ...streams }))
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean);
  const description =
    options.description ??
    answered(
      await prompts.text({ message: "What does the solution do? (optional)", defaultValue: "", ...streams }),
    );
  return { ...options, challenge: id, author: authors, description };
}

/** Returns the challenges to choose from; none if the broker does not answer, so that the id is typed. */
async function knownChallenges({
  io,
  connection,
  terminal,
}: CommandContext): Promise<{ value: string; label: string; hint: string }[]> {
  try {
    const http = await connection.http();
    const signal = AbortSignal.any([io.signal, AbortSignal.timeout(3_000)]);
    const { challenges } = await http.get("/api/v1/challenges", challengesSchema, {}, signal);
    return challenges.map(({ id, title }) => ({ value: id, label: plainLine(id), hint: plainLine(title) }));
  } catch (error) {
    terminal.note(`Cannot list the challenges: ${error instanceof Error ? error.message : error}`);
    return [];
  }
}
