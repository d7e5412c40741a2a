import { CrowdaiError } from "@crowdai/shared";
import type { Settings } from "../config/settings.ts";

type Choice = Pick<Settings, "broker" | "sources">;

/** Returns key_unbound for the key from the environment, with the line that binds it to the broker. */
export function keyUnbound(choice: Choice): CrowdaiError {
  const line = `CROWDAI_API_KEY_FOR=${new URL(choice.broker).origin}`;
  const next = `If you trust that broker with this key, add this line to your environment: export ${line}`;
  return unbound(choice, "The key in CROWDAI_API_KEY", next, { line });
}

/** Returns key_unbound for a key that a program passed, or that was read from standard input. */
export function givenKeyUnbound(choice: Choice, what: string, next: string): CrowdaiError {
  return unbound(choice, what, next);
}

function unbound(
  { broker, sources }: Choice,
  what: string,
  next: string,
  details: object = {},
): CrowdaiError {
  const message = `${what} was not sent to ${broker}: only ${sources.broker} names that broker.`;
  return new CrowdaiError("key_unbound", message, {
    next,
    details: { broker, source: sources.broker, ...details },
  });
}
