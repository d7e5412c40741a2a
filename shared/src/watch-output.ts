/**
 * Reports a failed write to standard output, as on a full disk, as one error with exit code 2 instead of a
 * stack. A reader that went away, as `head` does, is not a failure. `next` says what to do.
 */
export function watchOutput(
  { stdout, stderr }: Pick<NodeJS.Process, "stdout" | "stderr">,
  next = "Check the free disk space.",
): void {
  let isReported = false;
  stdout.on("error", ({ code = "EIO" }: NodeJS.ErrnoException) => {
    if (code === "EPIPE" || isReported) return;
    isReported = true;
    stderr.write(`error[file_unwritable]: Standard output cannot be written (${code}).\n  ${next}\n`);
    // Last, because the command still sets its own code.
    process.once("exit", () => {
      process.exitCode = 2;
    });
  });
  // Its failures cannot be reported.
  stderr.on("error", () => {});
}
