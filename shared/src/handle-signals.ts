/** The exit code of a program that a signal has ended. */
const INTERRUPTED = 130;

export interface Signals {
  /** Calls `stop` at the first signal, at once if that has come already. */
  onSignal(stop: () => void): void;
}

/**
 * Takes SIGINT and SIGTERM from now on. The first one stops a command that has asked for it, even if the
 * command asks later: `start` does. Any other command, and a second signal, end the process at once.
 */
export function handleSignals(process: Pick<NodeJS.Process, "argv" | "on" | "exit">): Signals {
  let willAsk = process.argv[2] === "start";
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => {
      if (stopping.signal.aborted || !willAsk) process.exit(INTERRUPTED);
      stopping.abort();
    });
  return {
    onSignal(stop) {
      willAsk = true;
      if (stopping.signal.aborted) stop();
      else stopping.signal.addEventListener("abort", stop, { once: true });
    },
  };
}
