const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 100;

/**
 * Polls until there is a result, for work that another part of the program does asynchronously. The pauses
 * grow: a question may start a program.
 */
export async function until<T>(ask: () => Promise<T | null | undefined | false>, ms = 45_000): Promise<T> {
  const end = performance.now() + ms;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, MAX_PAUSE_MS)) {
    const found = await ask();
    if (found) return found;
    if (performance.now() > end) throw new Error("what was waited for did not come");
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
