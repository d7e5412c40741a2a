const TIMEOUT_MS = 45_000;

export async function within<T>(promise: Promise<T>, complaint: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), TIMEOUT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Polls until the condition holds, because a queue behind a network offers nothing to wait for. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + TIMEOUT_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("it never came to hold");
    await new Promise((again) => setTimeout(again, 5));
  }
}

export function aborted(signal: AbortSignal): Promise<void> {
  const abort = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return within(abort, "the signal was not aborted");
}
