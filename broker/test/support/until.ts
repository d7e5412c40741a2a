/** Polls until there is a result, for work that another part of the program does asynchronously. */
export async function until<T>(ask: () => Promise<T | null | undefined | false>, ms = 45_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (performance.now() > end) throw new Error("what was waited for did not come");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
