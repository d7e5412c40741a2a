/**
 * Whether a double has another value than a JSON number, as for 9007199254740993. A number too large for a
 * double is unchanged.
 */
export function changesValue(literal: string): boolean {
  // A double holds any 15 digits.
  if (literal.length <= 15 && !/[eE]/.test(literal)) return false;
  const number = Number(literal);
  const written = String(number);
  return (
    written !== literal && Number.isFinite(number) && canonicalNumber(literal) !== canonicalNumber(written)
  );
}

/** Whether JSON.stringify writes a JSON number otherwise, as for 1.0. */
export function changesText(literal: string): boolean {
  const number = Number(literal);
  return Number.isFinite(number) && JSON.stringify(number) !== literal;
}

const PARTS = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Returns the same text for JSON numbers of equal value. */
export function canonicalNumber(literal: string): string {
  const [, sign, whole, fraction = "", exponent = "0"] = PARTS.exec(literal) as RegExpExecArray;
  const digits = whole + fraction;
  let [start, end] = [0, digits.length];
  while (digits[start] === "0") start++;
  while (end > start && digits[end - 1] === "0") end--;
  if (start === end) return "0";
  return `${sign}${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
