import { CrowdaiError } from "@crowdai/shared";
import type { Settings } from "../config/settings.ts";
import { setTrust } from "../config/user-config.ts";
import type { Io } from "../terminal/io.ts";
import { plainLine } from "../terminal/plain-text.ts";
import type { Terminal } from "../terminal/terminal.ts";

/**
 * Asks the person at the terminal whether the key from the environment may go to the broker that a project
 * file names, and stores a yes. Throws `refusal` if there is no terminal or the answer is no.
 */
export async function confirmBroker(
  { stdin, stderr, signal }: Pick<Io, "stdin" | "stderr" | "signal">,
  terminal: Terminal,
  { broker, configDir, sources }: Settings,
  refusal: CrowdaiError,
): Promise<void> {
  if (!terminal.isInteractive) throw refusal;
  const { confirm, isCancel } = await import("@clack/prompts");
  const answer = await confirm({
    message: plainLine(`${sources.broker} names the broker ${broker}. Send it the key in CROWDAI_API_KEY?`),
    active: "Send, and remember this broker",
    inactive: "No",
    initialValue: false,
    input: stdin,
    output: stderr,
    signal,
  });
  if (isCancel(answer)) throw new CrowdaiError("interrupted", "Interrupted. Nothing was sent.", { next: "" });
  if (!answer) throw refusal;
  // Without the note, the question is asked again next time.
  await setTrust(configDir, broker, true).catch((failure: unknown) =>
    terminal.warn(`Your answer is not stored: ${failure instanceof Error ? failure.message : failure}`),
  );
}
