import type { Readable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { readAccount } from "../client/http/account.ts";
import { type Context, connectHttp } from "../context.ts";
import { checkKey } from "../credentials/key-store.ts";
import { plainLine } from "../terminal/plain-text.ts";

interface Options {
  withToken?: boolean;
  key?: string | true;
  apiKey?: string | true;
  token?: string | true;
}

const MAX_INPUT_CHARACTERS = 4096;

/** Nothing is kept before the key's form was checked here and the key itself by the broker. */
export async function login(context: Context, args: { key: string[] }, options: Options): Promise<number> {
  const { terminal, settings } = context;
  if (args.key.length > 0 || options.key || options.apiKey || options.token) throw keyOnCommandLine();

  const fromStdin = options.withToken === true || context.stdin.isTTY !== true;
  const key = checkKey(
    fromStdin ? await readFromStdin(context.stdin) : await askForKey(context),
    fromStdin ? "standard input" : "the prompt",
  );
  const http = await connectHttp(context, settings.broker, async () => key);
  const { participant } = await readAccount(http);
  const { source, reason } = await context.keys.save(key);

  const name = plainLine(participant.name);
  const document = { broker: settings.broker, participant, key_stored: source };
  terminal.present({
    json: document,
    ndjson: [{ type: "login", ...document }],
    quiet: [name],
    text: () => terminal.answer(`Signed in to ${settings.broker} as ${terminal.style.bold(name)}.`),
  });

  if (reason === null) terminal.note("The key is in the keychain.");
  else
    terminal.warn(
      `The key is in ${source}, readable by you alone, because there is no keychain (${reason}).`,
    );
  if (context.env.CROWDAI_API_KEY && context.env.CROWDAI_API_KEY.trim() !== key)
    terminal.warn("CROWDAI_API_KEY is set to another key, and wins.");
  terminal.next(settings.challenge ? "crowdai submit <file>" : "crowdai challenges");
  return 0;
}

async function readFromStdin(stdin: Readable): Promise<string> {
  let text = "";
  for await (const part of stdin) {
    text += String(part);
    if (text.length > MAX_INPUT_CHARACTERS) break;
  }
  const key = text.trim();
  if (key) return key;
  throw new CrowdaiError("usage", "There is no key on standard input.", {
    next: "Pipe it in: `crowdai login --with-token < key.txt`, or set CROWDAI_API_KEY.",
  });
}

async function askForKey(context: Context): Promise<string> {
  if (!context.terminal.isInteractive)
    throw new CrowdaiError("usage", "The key cannot be asked for here: there is no person at a terminal.", {
      next: "Use `crowdai login --with-token < key.txt`, or set CROWDAI_API_KEY.",
    });
  const { password, isCancel } = await import("@clack/prompts");
  const answer = await password({
    message: `API key for ${context.settings.broker}`,
    validate: (text) => (text?.trim() ? undefined : "Paste the key, from crowdai_ to its last character."),
    input: context.stdin,
    output: context.stderr,
    signal: context.signal,
  });
  if (isCancel(answer)) throw new CrowdaiError("interrupted", "Nothing was changed.", { next: "" });
  return answer.trim();
}

function keyOnCommandLine(): CrowdaiError {
  return new CrowdaiError(
    "usage",
    "A key does not belong on the command line, where the shell's history and other users can see it.",
    { next: "Run `crowdai login` and paste it, or pipe it in: `crowdai login --with-token < key.txt`." },
  );
}
