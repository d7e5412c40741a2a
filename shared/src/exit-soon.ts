/** Long enough to write out what was printed. */
const EXIT_MS = 5000;

/**
 * Ends the process, whose work is done, even if something was left open that would keep it running. A process
 * with nothing open ends at once.
 */
export function exitSoon(): void {
  setTimeout(() => process.exit(), EXIT_MS).unref();
}
