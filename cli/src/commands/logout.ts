import { setTrust } from "../config/user-config.ts";
import type { CommandContext } from "./handler.ts";

/**
 * Deletes the stored key of the broker, and the confirmation that it may get another one. Succeeds if there
 * is none.
 */
export async function logout({ io, connection, terminal }: CommandContext): Promise<number> {
  const { settings, keys } = connection;
  const removed = await keys.forget();
  await setTrust(settings.configDir, settings.broker, false);
  const document = { broker: settings.broker, removed };
  terminal.present({
    json: document,
    ndjson: [{ type: "logout", ...document }],
    quiet: [],
    text: () =>
      terminal.answer(
        removed ? `Signed out of ${settings.broker}.` : `You are not signed in to ${settings.broker}.`,
      ),
  });
  if (io.env.CROWDAI_API_KEY) terminal.warn("CROWDAI_API_KEY is still set and will be used.");
  return 0;
}
