import { hostname } from "node:os";
import type { Readable } from "node:stream";
import { CrowdaiError } from "@crowdai/shared";
import { z } from "zod";
import { pause } from "../async/abort.ts";
import { readAccount } from "../client/http/account.ts";
import type { Settings } from "../config/settings.ts";
import { connectHttp } from "../connection/connect-http.ts";
import { checkKey } from "../credentials/key-store.ts";
import { givenKeyUnbound } from "../credentials/key-unbound.ts";
import type { Io } from "../terminal/io.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { shellWord } from "../terminal/shell-word.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { CommandContext } from "./handler.ts";

interface Options {
  withToken?: boolean;
  web?: boolean;
  key?: string | true;
  apiKey?: string | true;
  token?: string | true;
}

const MAX_INPUT_CHARACTERS = 4096;

/** Stores an API key after its format was checked here and the key itself by the broker. */
export async function login(
  { io, connection, terminal }: CommandContext,
  args: { key: string[] },
  options: Options,
): Promise<number> {
  const { settings, client, keys } = connection;
  if (args.key.length > 0 || options.key || options.apiKey || options.token) throw keyOnCommandLine();

  if (options.web && options.withToken)
    throw new CrowdaiError("usage", "Use either --web or --with-token, not both.");
  const fromStdin = !options.web && (options.withToken === true || io.stdin.isTTY !== true);
  if (!fromStdin && !options.web && !terminal.isInteractive) throw noTerminal();
  if (fromStdin && !settings.brokerTrusted)
    throw givenKeyUnbound(
      settings,
      "The key on standard input",
      `If the key is for that broker, run: crowdai login --with-token --broker ${shellWord(settings.broker)}`,
    );
  const key = checkKey(
    options.web
      ? await signInOnPage(io, terminal, settings.broker, client)
      : fromStdin
        ? await readFromStdin(io.stdin)
        : await askForKey(io, settings),
    options.web ? "the broker" : fromStdin ? "standard input" : "the prompt",
  );
  const http = connectHttp({ broker: settings.broker, key: async () => key, client, io });
  const { participant } = await readAccount(http);
  const { source, reason } = await keys.save(key);

  const name = plainLine(participant.name);
  const document = { broker: settings.broker, participant, key_stored: source };
  const next = settings.challenge ? "crowdai submit <file>" : "crowdai challenges";
  terminal.present({
    json: document,
    next: [next],
    ndjson: [{ type: "login", ...document }],
    quiet: [name],
    text: () => terminal.answer(`Signed in to ${settings.broker} as ${terminal.style.bold(name)}.`),
  });

  if (reason === null) terminal.note("The API key is stored in the keychain.");
  else
    terminal.warn(
      `No keychain is available (${reason}). The API key is stored in ${source}, readable only by you.`,
    );
  if (io.env.CROWDAI_API_KEY && io.env.CROWDAI_API_KEY.trim() !== key)
    terminal.warn("CROWDAI_API_KEY is set to another key and takes precedence.");
  terminal.next(next);
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
  throw new CrowdaiError("usage", "Standard input contains no API key.", {
    next: "Run `crowdai login --with-token < key.txt`, or set CROWDAI_API_KEY.",
  });
}

/** Shows a code, and waits until a person confirms it on the broker's page. Throws login_expired. */
async function signInOnPage(io: Io, terminal: Terminal, broker: string, client: string): Promise<string> {
  const http = await connectHttp({ broker, key: async () => null, client, io });
  const { device_code, user_code, url, expires_at, interval } = await http.post(
    "/api/v1/device-logins",
    { client: `${client} on ${hostname()}` },
    deviceLoginSchema,
  );
  terminal.event({ type: "login_code", user_code, url, expires_at });
  // In every mode: without them nothing happens.
  terminal.error(
    `Open ${plainLine(url)}\nand confirm the code ${terminal.noteStyle.bold(plainLine(user_code))}.`,
  );
  const waiting = terminal.spinner("Waiting for the confirmation");
  try {
    for (;;) {
      await pause(interval * 1000, io.signal);
      const found = await http
        .post("/api/v1/device-logins/key", { device_code }, deviceKeySchema)
        .catch((failure: unknown) => {
          if (failure instanceof CrowdaiError && failure.code === "login_pending") return null;
          throw failure;
        });
      if (found) return found.key;
    }
  } finally {
    waiting.stop();
  }
}

const deviceKeySchema = z.object({ key: z.string() });
const deviceLoginSchema = z.object({
  device_code: z.string(),
  user_code: z.string(),
  url: z.string(),
  expires_at: z.string(),
  interval: z.number().positive(),
});

function noTerminal(): CrowdaiError {
  return new CrowdaiError("usage", "Cannot ask for the API key without a terminal.", {
    next: "Run `crowdai login --with-token < key.txt`, or set CROWDAI_API_KEY.",
  });
}

/** Asks for the key. A broker that only a project file names is shown with the path of that file. */
async function askForKey(
  { stdin, stderr, signal }: Io,
  { broker, brokerTrusted, sources }: Settings,
): Promise<string> {
  const { password, isCancel } = await import("@clack/prompts");
  const answer = await password({
    message: plainLine(`API key for ${broker}${brokerTrusted ? "" : ` (named by ${sources.broker})`}`),
    validate: (text) => (text?.trim() ? undefined : "Paste the whole key, starting with crowdai_."),
    input: stdin,
    output: stderr,
    signal,
  });
  if (isCancel(answer))
    throw new CrowdaiError("interrupted", "Interrupted. Nothing was changed.", { next: "" });
  return answer.trim();
}

function keyOnCommandLine(): CrowdaiError {
  return new CrowdaiError(
    "usage",
    "API keys are not accepted on the command line, where the shell history and other users can see them.",
    { next: "Run `crowdai login` and paste the key, or run `crowdai login --with-token < key.txt`." },
  );
}
