import { CrowdaiError } from "@crowdai/shared";
import type { Io } from "./io.ts";
import type { Terminal } from "./terminal.ts";

export interface Question {
  message: string;
  /** The answer without a terminal. */
  otherwise: boolean;
  /** Whether --yes was given. */
  yes: boolean;
}

/**
 * Asks a yes-or-no question, never about a license or a key. Prints an answer that was not given at the
 * terminal. Throws interrupted.
 */
export async function confirm(
  { stdin, stderr, signal }: Pick<Io, "stdin" | "stderr" | "signal">,
  terminal: Terminal,
  { message, otherwise, yes }: Question,
): Promise<boolean> {
  if (yes || !terminal.isInteractive) {
    const why = yes ? "--yes" : "no terminal to ask; --yes answers yes";
    terminal.note(`${message} ${yes || otherwise ? "Yes" : "No"} (${why}).`);
    return yes || otherwise;
  }
  const prompts = await import("@clack/prompts");
  const answer = await prompts.confirm({
    message,
    initialValue: false,
    input: stdin,
    output: stderr,
    signal,
  });
  if (prompts.isCancel(answer))
    throw new CrowdaiError("interrupted", "Interrupted. Nothing was changed.", { next: "" });
  return answer;
}
