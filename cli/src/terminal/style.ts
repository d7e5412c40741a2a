const CODES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

/** Functions that color a text, or return it unchanged. */
export type Style = Record<keyof typeof CODES, (text: string) => string>;

export function createStyle(enabled: boolean): Style {
  const wrap = ([open, close]: readonly [number, number]) =>
    enabled ? (text: string) => `\u001b[${open}m${text}\u001b[${close}m` : (text: string) => text;
  return Object.fromEntries(Object.entries(CODES).map(([name, codes]) => [name, wrap(codes)])) as Style;
}
