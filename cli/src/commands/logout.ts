import type { Context } from "../context.ts";

/** Harmless when there is no key. */
export async function logout(context: Context): Promise<number> {
  const { terminal, settings, keys } = context;
  const removed = await keys.forget();
  const document = { broker: settings.broker, removed };
  terminal.present({
    json: document,
    ndjson: [{ type: "logout", ...document }],
    quiet: [],
    text: () =>
      terminal.answer(
        removed ? `Signed out of ${settings.broker}.` : `There was no key kept for ${settings.broker}.`,
      ),
  });
  if (context.env.CROWDAI_API_KEY) terminal.warn("CROWDAI_API_KEY is still set.");
  return 0;
}
