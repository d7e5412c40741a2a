import type { Context } from "../../context.ts";
import { readAwaited } from "../../snapshot/send/awaited-code.ts";
import { codeFolder } from "../../snapshot/store/code-folder.ts";
import { reportCodeOutcome } from "./report-code.ts";

/** Sends the code of a submission that an earlier command could not send, and says how it went. Never throws. */
export async function sendAwaitedCodeOf(context: Context, broker: URL, id: string): Promise<void> {
  const { env, signal, terminal } = context;
  const folder = codeFolder(env);
  if (readAwaited(folder, broker.href.replace(/\/+$/, ""), id).length === 0) return;
  try {
    const [{ sendAwaited }, key] = await Promise.all([
      import("../../snapshot/send/send-code.ts"),
      context.key(),
    ]);
    for (const outcome of await sendAwaited({ codeFolder: folder, broker, env, key, id, signal })) {
      if (outcome.state === "stored") terminal.note(`The code of ${id} was sent.`);
      reportCodeOutcome(terminal, outcome);
    }
  } catch (failure) {
    terminal.warn(`The code of ${id} was not sent: ${failure instanceof Error ? failure.message : failure}`);
  }
}
