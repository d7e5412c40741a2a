import { type Choices, replayed } from "./choices.ts";

const MAX_RUNS = 200;

/**
 * Looks for a duller schedule that fails in the same way: without its end, then with dull choices in ever
 * smaller parts of it. Returns the choices of the dullest that was found.
 */
export async function shrink(
  failing: readonly number[],
  fails: (choices: Choices) => Promise<boolean>,
): Promise<readonly number[]> {
  let best = failing;
  let runs = 0;
  const keepIfFails = async (candidate: readonly number[]): Promise<boolean> => {
    if (runs++ >= MAX_RUNS || !(await fails(replayed(candidate)))) return false;
    best = candidate;
    return true;
  };
  for (let length = best.length >> 1; length > 0; length >>= 1)
    while (best.length > length && (await keepIfFails(best.slice(0, best.length - length))));
  for (let span = best.length >> 1; span > 0; span >>= 1)
    for (let at = 0; at < best.length; at += span) {
      const part = best.slice(at, at + span);
      if (part.some((choice) => choice !== 0))
        await keepIfFails([...best.slice(0, at), ...part.map(() => 0), ...best.slice(at + span)]);
    }
  return best;
}
