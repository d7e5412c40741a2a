const steps = new Set<() => unknown>();

/** How long an interrupted bench waits for its processes. */
const WAIT_MS = 10_000;

/**
 * Returns a function that cleans up: it does so once, and returns the same promise whenever it is called. A
 * bench that is interrupted calls it too.
 */
export function onceDone(clean: () => Promise<void>): () => Promise<void> {
  let cleaning: Promise<void> | null = null;
  const step = () => {
    cleaning ??= clean().finally(() => steps.delete(step));
    return cleaning;
  };
  steps.add(step);
  return step;
}

/** Cleans up and exits on SIGINT, SIGTERM and SIGHUP. */
export function exitWhenInterrupted(): void {
  const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
  for (const [name, number] of Object.entries(signals))
    process.once(name, () => {
      const exit = () => process.exit(128 + number);
      setTimeout(exit, WAIT_MS);
      void Promise.allSettled([...steps].map((step) => step())).then(exit);
    });
}
