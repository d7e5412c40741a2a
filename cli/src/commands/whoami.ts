import { type Account, organizerIn, readAccount } from "../client/http/account.ts";
import type { HttpClient } from "../client/http/http-client.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { relativeTime, timeText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";

/** Shows the signed-in account and the source of its key. */
export async function whoami({ connection, terminal }: CommandContext): Promise<number> {
  const { settings } = connection;
  const source = await connection.keySource();
  const { participant, agreed, organizer, member, keys } = await readOwner(await connection.http());
  const session = await (await connection.ciSessions())?.current();

  const { subject, repository, ref, expires_at } = session ?? {};
  const ci = session ? { subject, repository, ref, expires_at } : null;
  const document = {
    ...{ broker: settings.broker, participant, agreed, organizer, key_source: source, ci },
    ...{ member: member ?? null, keys },
  };
  const name = plainLine((participant ?? organizer)?.name ?? "");
  terminal.present({
    json: document,
    ndjson: [{ type: participant ? "participant" : "organizer", ...document }],
    quiet: [name],
    text: () => terminal.answer(name),
  });
  const key = organizer ? "the organizer's API key" : "the API key";
  terminal.note(
    session
      ? `Signed in to ${settings.broker} as a CI job: ${plainLine(session.repository)}, ${plainLine(session.ref)}, by the trust in ${plainLine(session.subject)}, until ${timeText(session.expires_at)}.`
      : `Signed in to ${settings.broker} with ${key} from ${source === "keychain" ? "the keychain" : source}.`,
  );
  if (member) terminal.note(`The key is that of ${plainLine(member)}, a member of ${name}.`);
  if (keys.length > 1 || keys.some(({ label }) => label !== null))
    terminal.note(`Keys: ${keys.map(keyText).join("; ")}.`);
  if (organizer)
    terminal.note(
      `It manages ${organizer.challenges.map(plainLine).join(", ") || "no challenge"}; only participants can submit.`,
    );
  return 0;
}

/** Returns the owner of the key: a participant or an organizer. */
async function readOwner(http: HttpClient) {
  try {
    return { ...(await readAccount(http)), organizer: null };
  } catch (failure) {
    const organizer = organizerIn(failure);
    if (organizer) return { participant: null, agreed: false, organizer, member: undefined, keys: [] };
    throw failure;
  }
}

function keyText({ label, member, last_used_at, current }: Account["keys"][number]): string {
  const owner = member === null || member === label ? "" : ` of ${plainLine(member)}`;
  const used = current
    ? "this one"
    : last_used_at === null
      ? "not used yet"
      : `used ${relativeTime(last_used_at)}`;
  return `${label === null ? "without a label" : plainLine(label)}${owner} (${used})`;
}
