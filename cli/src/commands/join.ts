import { CrowdaiError } from "@crowdai/shared";
import { z } from "zod";
import { resolveSettings } from "../config/settings.ts";
import { connectHttp } from "../connection/connect-http.ts";
import { checkKey, createKeyStore } from "../credentials/key-store.ts";
import type { Io } from "../terminal/io.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { shellWord } from "../terminal/shell-word.ts";
import type { CommandContext } from "./handler.ts";

interface Options {
  name?: string;
}

const MAX_INPUT_CHARACTERS = 4096;
const joinedSchema = z.object({
  participant: z.object({ id: z.number().int(), name: z.string() }),
  key: z.string().nullable(),
  challenges: z.array(z.string()),
});

/**
 * Joins challenges by an organizer's link: as a new participant, whose key is stored, or as the one who is
 * signed in.
 */
export async function join(
  { io, connection, terminal }: CommandContext,
  args: { url?: string },
  { name }: Options,
): Promise<number> {
  const { broker, code } = parseLink(await linkFrom(io, terminal.isInteractive, args.url));
  const { client, keychain, settings: usual } = connection;
  const settings = resolveSettings({ env: io.env, cwd: io.cwd, flags: { broker } });
  // A link comes from anyone: the key in the environment goes only to the broker that it is meant for.
  const { CROWDAI_API_KEY: given, ...others } = io.env;
  const isUsual = settings.broker === usual.broker && usual.brokerTrusted;
  const keys = createKeyStore({ env: isUsual ? io.env : others, settings, keychain });
  const found = await keys.find();
  if (found && name !== undefined)
    throw new CrowdaiError("usage", `You are signed in to ${settings.broker}, so --name has no use.`, {
      next: "Leave it out to join as you, or run `crowdai logout` first to join as someone else.",
    });
  const body = found ? { code } : { code, name: name ?? (await askForName(io, terminal.isInteractive)) };
  const http = connectHttp({
    broker: settings.broker,
    key: async () => found && checkKey(found.key, found.source),
    client,
    io,
  });
  const { participant, key, challenges } = await http.post("/api/v1/join", body, joinedSchema);
  const stored = key === null ? null : await keys.save(checkKey(key, "the broker"));

  const shownName = plainLine(participant.name);
  const ids = challenges.map(plainLine);
  const elsewhere = isUsual ? "" : ` --broker ${shellWord(settings.broker)}`;
  const next = ids.map((id) => `crowdai challenge ${shellWord(id)}${elsewhere}`);
  const document = {
    ...{ broker: settings.broker, participant, challenges, created: key !== null },
    key_stored: stored?.source ?? null,
  };
  terminal.present({
    json: document,
    next,
    ndjson: [{ type: "join", ...document }],
    quiet: [shownName],
    text: () => terminal.answer(`You take part in ${ids.join(", ")} as ${terminal.style.bold(shownName)}.`),
  });
  if (stored?.reason === null) terminal.note("The API key is stored in the keychain.");
  else if (stored)
    terminal.warn(
      `No keychain is available (${stored.reason}). The API key is stored in ${stored.source}, readable only by you.`,
    );
  if (stored && given) terminal.warn("CROWDAI_API_KEY is set to another key and takes precedence.");
  for (const command of next) terminal.next(command);
  return 0;
}

/** Returns the broker's address and the code of a link. Throws usage, which does not repeat the code. */
function parseLink(text: string): { broker: string; code: string } {
  const [, broker, code] = /^(https?:\/\/[^?#\s]+)\/join\/([A-Za-z0-9_-]{1,100})\/?$/.exec(text) ?? [];
  if (broker && code) return { broker, code };
  throw new CrowdaiError("usage", "This is not a join link.", {
    next: "A join link looks like https://crowdai.example/join/<code>. Paste all of it.",
  });
}

async function linkFrom(io: Io, isInteractive: boolean, url: string | undefined): Promise<string> {
  if (url !== undefined && url !== "-") return url.trim();
  if (url === undefined && isInteractive) return ask(io, "Join link");
  let text = "";
  for await (const part of io.stdin) {
    text += String(part);
    if (text.length > MAX_INPUT_CHARACTERS) break;
  }
  return text.trim();
}

function askForName(io: Io, isInteractive: boolean): Promise<string> {
  if (isInteractive) return ask(io, "Your name on the leaderboard");
  throw new CrowdaiError("usage", "Cannot ask for your name without a terminal.", {
    next: "Pass it: crowdai join <url> --name <name>.",
  });
}

async function ask({ stdin, stderr, signal }: Io, message: string): Promise<string> {
  const { text, isCancel } = await import("@clack/prompts");
  const answer = await text({
    message,
    validate: (value) => (value?.trim() ? undefined : "Enter it, or press Ctrl-C to leave."),
    input: stdin,
    output: stderr,
    signal,
  });
  if (isCancel(answer))
    throw new CrowdaiError("interrupted", "Interrupted. Nothing was changed.", { next: "" });
  return answer.trim();
}
