import { type Figure, median } from "./figure.ts";

/** A figure of several rounds. */
export interface Repeated extends Figure {
  rounds: number[];
  /** How far the median moves, in percent, when one round is left out. */
  moves: number;
}

/** A median that moves no further than this when any one round is left out is steady. */
export const STEADY_PERCENT = 5;

/** Rounds before there is anything to say. */
export const MIN_ROUNDS = 3;

/**
 * The median of each figure over the rounds, and whether it meets its target. Rounds have the same figures in
 * the same order.
 */
export function combine(rounds: readonly (readonly Figure[])[]): Repeated[] {
  const [first = []] = rounds;
  return first.flatMap((figure, at) => {
    const found = rounds.flatMap((round) => (round[at]?.name === figure.name ? [round[at]] : []));
    const values = found.map(({ value }) => value);
    const value = median(values);
    const met = figure.target === undefined ? {} : { met: found.find((one) => one.value === value)!.met! };
    return [{ ...figure, value, ...met, rounds: values, moves: movement(values) }];
  });
}

/**
 * The ratios to a peer of the same run say what the code costs; the other figures say also what the machine
 * did.
 */
export const isRatio = ({ unit }: Figure): boolean => unit === "×";

/** Whether no round decides alone: of the ratios where there are some, otherwise of what has a target. */
export function isSteady(figures: readonly Repeated[]): boolean {
  const ratios = figures.filter(isRatio);
  const deciding = ratios.length > 0 ? ratios : figures.filter(({ target }) => target !== undefined);
  return deciding.every(({ moves, rounds }) => rounds.length >= MIN_ROUNDS && moves <= STEADY_PERCENT);
}

function movement(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const whole = median(values);
  if (whole === 0) return 0;
  const without = values.map((_, left) => median(values.filter((_value, at) => at !== left)));
  return Math.max(...without.map((one) => (100 * Math.abs(one - whole)) / Math.abs(whole)));
}
