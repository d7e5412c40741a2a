/**
 * All that is left to chance in a schedule. 0 and false are always the dull choice: the oldest step, no
 * fault.
 */
export interface Choices {
  /** Returns a number from 0 to `count` - 1. */
  pick(count: number): number;
  /** True in `percent` of a hundred cases. */
  chance(percent: number): boolean;
  /** The choices so far, for `replayed`. */
  readonly taken: readonly number[];
}

/** Choices that depend on the seed alone. */
export function seeded(seed: number): Choices {
  const next = generator(seed);
  return recording(
    (count) => Math.floor(next() * count),
    (percent) => next() * 100 < percent,
  );
}

/** The choices of an earlier schedule again; the dull choice where they end. */
export function replayed(taken: readonly number[]): Choices {
  let at = 0;
  const next = () => taken[at++] ?? 0;
  return recording(
    (count) => Math.min(next(), count - 1),
    () => next() > 0,
  );
}

function recording(pick: (count: number) => number, chance: (percent: number) => boolean): Choices {
  const taken: number[] = [];
  return {
    pick(count) {
      // Nothing to choose, nothing to shrink.
      if (count <= 1) return 0;
      const chosen = pick(count);
      taken.push(chosen);
      return chosen;
    },
    chance(percent) {
      const chosen = chance(percent);
      taken.push(chosen ? 1 : 0);
      return chosen;
    },
    taken,
  };
}

/** Mulberry32: 32 bits of state, good enough to choose with. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
