import { readAccount } from "../client/http/account.ts";
import type { Context } from "../context.ts";
import { plainLine } from "../terminal/plain-text.ts";

export async function whoami(context: Context): Promise<number> {
  const { terminal, settings } = context;
  await context.key();
  const source = (await context.keys.find())?.source;
  const { participant, agreed } = await readAccount(await context.http());

  const document = { broker: settings.broker, participant, agreed, key_source: source };
  const name = plainLine(participant.name);
  terminal.present({
    json: document,
    ndjson: [{ type: "participant", ...document }],
    quiet: [name],
    text: () => terminal.answer(name),
  });
  terminal.note(
    `at ${settings.broker}, with the key from ${source === "keychain" ? "the keychain" : source}`,
  );
  return 0;
}
