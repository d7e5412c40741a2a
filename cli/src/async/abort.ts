import { CrowdaiError } from "@crowdai/shared";

/**
 * The error for work that its signal ended: `interrupted`, or the signal's own reason if that is a
 * CrowdaiError.
 */
export function interruption(signal: AbortSignal): CrowdaiError {
  if (signal.reason instanceof CrowdaiError) return signal.reason;
  return new CrowdaiError("interrupted", undefined, { cause: signal.reason });
}

/** Throws what `interruption` returns if the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interruption(signal);
}

/** Waits `ms` milliseconds, or rejects as soon as the signal is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return abortable((resolve, dispose) => {
    const timer = setTimeout(resolve, ms);
    dispose(() => clearTimeout(timer));
  }, signal);
}

/**
 * Returns a promise that the signal can reject. `start` registers cleanup steps with `dispose`; they run when
 * the promise settles, whether it resolves or rejects.
 */
export function abortable<T>(
  start: (
    resolve: (value: T) => void,
    dispose: (undo: () => void) => void,
    reject: (reason: unknown) => void,
  ) => void,
  signal?: AbortSignal,
): Promise<T> {
  const undo: (() => void)[] = [];
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted) return reject(interruption(signal));
    if (signal) {
      const abort = () => reject(interruption(signal));
      signal.addEventListener("abort", abort, { once: true });
      undo.push(() => signal.removeEventListener("abort", abort));
    }
    start(resolve, (step) => undo.push(step), reject);
  }).finally(() => {
    for (const step of undo) step();
  });
}
