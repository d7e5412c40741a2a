import { fstatSync } from "node:fs";
import type { Writable } from "node:stream";
import { workflowCommand } from "../terminal/workflow-command.ts";

/** A shorter text would hide half of the log, and is not an API key. */
const MIN_LENGTH = 8;

/**
 * Asks the runner of GitHub Actions to hide a secret in the log from now on. Not when stderr is a file: the
 * runner would not read it there, and the file would hold the secret.
 */
export function maskSecret(secret: string | undefined, stderr: Writable): void {
  const text = secret?.trim() ?? "";
  if (text.length < MIN_LENGTH || (stderr === process.stderr && isFile(2))) return;
  stderr.write(`${workflowCommand("add-mask", text)}\n`);
}

function isFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return true;
  }
}
