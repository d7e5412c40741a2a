/**
 * Rounds a score to `precision` decimals: on the decimal form with 15 significant digits, halves away from
 * zero, so that 2.675 at two decimals is 2.68 and -2.675 is -2.68 (the original webapp's rule).
 */
export function roundScore(score: number, precision: number): number {
  const [mantissa, exponent] = score.toExponential(14).split("e") as [string, string];
  const shifted = Number(`${mantissa}e${Number(exponent) + precision}`);
  // Rounded away from zero on the 15 digit form; toPrecision(15) drops what binary fractions added to the
  // shift.
  const rounded = Math.sign(shifted) * Math.round(Number(Math.abs(shifted).toPrecision(15)));
  const result = Number(`${rounded}e-${precision}`);
  // Beyond 1e21 there are no decimals to round. Never minus zero, whose text has no minus.
  return Number.isFinite(result) ? result : score;
}
