import { organizerIn, readAccount } from "../client/http/account.ts";
import type { HttpClient } from "../client/http/http-client.ts";
import { plainLine } from "../terminal/plain-text.ts";
import { timeText } from "../terminal/time.ts";
import type { CommandContext } from "./handler.ts";

/** Shows the signed-in account and the source of its key. */
export async function whoami({ connection, terminal }: CommandContext): Promise<number> {
  const { settings } = connection;
  const source = await connection.keySource();
  const { participant, agreed, organizer } = await readOwner(await connection.http());
  const session = await (await connection.ciSessions())?.current();

  const { subject, repository, ref, expires_at } = session ?? {};
  const ci = session ? { subject, repository, ref, expires_at } : null;
  const document = { broker: settings.broker, participant, agreed, organizer, key_source: source, ci };
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
    if (organizer) return { participant: null, agreed: false, organizer };
    throw failure;
  }
}
