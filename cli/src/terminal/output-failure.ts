import type { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";

/**
 * Watches standard output for a failed write, as on a full disk. The function that it returns waits until
 * everything is written and returns the error's code, or null. A reader that went away, as `head` does, is
 * not a failure.
 */
export function watchOutput(stdout: Writable): () => Promise<string | null> {
  let failed: string | null = null;
  stdout.on("error", ({ code = "EIO" }: NodeJS.ErrnoException) => {
    failed ??= code;
  });
  return async () => {
    await new Promise<void>((written) => stdout.write("", () => written()));
    // The event follows the callback.
    await setImmediate();
    return failed === "EPIPE" ? null : failed;
  };
}
