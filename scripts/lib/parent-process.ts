import { setImmediate } from "node:timers/promises";

// Without it, work for minutes would go on that no one waits for.
process.once("disconnect", () => process.exit());

/**
 * Sends the result of this process to `runScript`, and ends once it has arrived there: a long trace takes
 * several writes.
 */
export function sendToParent(result: object): void {
  process.send?.(result, () => process.disconnect?.());
}

/**
 * Lets this process hear whether its parent has ended: in simulated time, nothing waits for the real outside.
 */
export const hearParent = (): Promise<void> => setImmediate();
