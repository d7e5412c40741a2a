import { readAwaited } from "../../snapshot/send/awaited-code.ts";
import { codeFolder } from "../../snapshot/store/code-folder.ts";
import type { Io } from "../../terminal/io.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { reportCodeOutcome } from "./report-code.ts";

export interface CodeToSendAgain {
  id: string;
  broker: URL;
  readKey: () => Promise<string>;
  io: Pick<Io, "env" | "signal">;
  terminal: Terminal;
}

/**
 * Sends the code of a submission that an earlier command could not send, and reports the outcome. Never
 * throws.
 */
export async function sendAwaitedCodeOf(awaited: CodeToSendAgain): Promise<void> {
  const { id, broker, terminal } = awaited;
  const { env, signal } = awaited.io;
  const folder = codeFolder(env);
  if (readAwaited(folder, broker.href.replace(/\/+$/, ""), id).length === 0) return;
  try {
    const [{ sendAwaited }, key] = await Promise.all([
      import("../../snapshot/send/send-code.ts"),
      awaited.readKey(),
    ]);
    for (const outcome of await sendAwaited({ codeFolder: folder, broker, env, key, id, signal })) {
      if (outcome.state === "stored") terminal.note(`Sent the code of ${id}.`);
      reportCodeOutcome(terminal, outcome);
    }
  } catch (failure) {
    terminal.warn(`The code of ${id} was not sent: ${failure instanceof Error ? failure.message : failure}`);
  }
}
