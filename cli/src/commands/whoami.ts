import { readAccount } from "../client/http/account.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { CommandContext } from "./handler.ts";

/** Shows the signed-in account and the source of its key. */
export async function whoami({ connection, terminal }: CommandContext): Promise<number> {
  const { settings } = connection;
  const source = await connection.keySource();
  const { participant, agreed } = await readAccount(await connection.http());

  const document = { broker: settings.broker, participant, agreed, key_source: source };
  const name = plainLine(participant.name);
  terminal.present({
    json: document,
    ndjson: [{ type: "participant", ...document }],
    quiet: [name],
    text: () => terminal.answer(name),
  });
  terminal.note(
    `Signed in to ${settings.broker} with the API key from ${source === "keychain" ? "the keychain" : source}.`,
  );
  return 0;
}
