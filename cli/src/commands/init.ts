import { existsSync } from "node:fs";
import { join } from "node:path";
import { CrowdaiError } from "@crowdai/shared";
import { writing } from "../config/file-unwritable.ts";
import { PROJECT_FILE, type ProjectConfig } from "../config/project-config.ts";
import { replaceFile } from "../config/replace-file.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { challengesSchema } from "./challenges.ts";

interface Options {
  challenge?: string;
  author: string[];
  description?: string;
  force?: boolean;
}

/** Writes crowdai.json into this folder, from the flags or from what a person answers. */
export async function init(context: Context, _args: object, options: Options): Promise<number> {
  const { terminal, cwd } = context;
  const path = join(cwd, PROJECT_FILE);
  if (existsSync(path) && !options.force)
    throw new CrowdaiError("usage", `${path} is already there.`, { next: "Replace it with --force." });

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

async function collect(context: Context, options: Options): Promise<ProjectConfig> {
  const given = options.challenge ?? context.env.CROWDAI_CHALLENGE;
  if (given || !context.terminal.isInteractive) {
    if (!given)
      throw new CrowdaiError("challenge_missing", "No challenge was named, and nobody can be asked here.", {
        next: "Name it: `crowdai init --challenge <id>`.",
      });
    return projectConfig(context, { ...options, challenge: given });
  }
  return projectConfig(context, await askPerson(context, options));
}

function projectConfig(context: Context, answers: Options): ProjectConfig {
  const { broker, sources } = brokerOf(context, answers);
  return {
    challenge_id: answers.challenge,
    authors: answers.author,
    description: answers.description ?? "",
    // Named on the way here, the broker belongs to this folder; the default or the user's own does not.
    ...(sources.broker === "--broker" || sources.broker === "CROWDAI_BROKER" ? { broker } : {}),
  };
}

/** With --force an old crowdai.json may be the very file with mistakes that is to be replaced. */
function brokerOf(context: Context, options: Options): Pick<Context["settings"], "broker" | "sources"> {
  try {
    return context.settings;
  } catch (error) {
    if (
      !options.force ||
      !(error instanceof CrowdaiError) ||
      error.details?.file !== join(context.cwd, PROJECT_FILE)
    )
      throw error;
    return { broker: "", sources: { broker: "default", challenge: null, configDir: "default" } };
  }
}

async function askPerson(context: Context, options: Options): Promise<Options> {
  const prompts = await import("@clack/prompts");
  const streams = { input: context.stdin, output: context.stderr, signal: context.signal };
  const answered = <T>(answer: T): Exclude<T, symbol> => {
    if (prompts.isCancel(answer))
      throw new CrowdaiError("interrupted", "Nothing was written.", { next: "Run `crowdai init` again." });
    return answer as Exclude<T, symbol>;
  };

  const choices = await knownChallenges(context);
  const challenge =
    choices.length > 0
      ? await prompts.select({ message: "Which challenge?", options: choices, ...streams })
      : await prompts.text({
          message: "Which challenge? (its id)",
          validate: (text) => (text?.trim() ? undefined : "An id is needed."),
          ...streams,
        });
  const id = answered(challenge).trim();
  const authors =
    options.author.length > 0
      ? options.author
      : answered(await prompts.text({ message: "Who writes the solution? (names, with commas)", ...streams }))
          .split(",")
          .map((name) => name.trim())
          .filter(Boolean);
  const description =
    options.description ??
    answered(
      await prompts.text({ message: "What does it do? (may stay empty)", defaultValue: "", ...streams }),
    );
  return { ...options, challenge: id, author: authors, description };
}

/** To choose from; a broker that does not answer only means that the id is typed. */
async function knownChallenges(context: Context): Promise<{ value: string; label: string; hint: string }[]> {
  try {
    const http = await context.http();
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(3_000)]);
    const { challenges } = await http.get("/api/v1/challenges", challengesSchema, {}, signal);
    return challenges.map(({ id, title }) => ({ value: id, label: plainLine(id), hint: plainLine(title) }));
  } catch (error) {
    context.terminal.note(
      `The challenges cannot be listed: ${error instanceof Error ? error.message : error}`,
    );
    return [];
  }
}
