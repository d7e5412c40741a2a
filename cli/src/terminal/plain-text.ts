// biome-ignore-all lint/suspicious/noControlCharactersInRegex: finding control characters is this file's work
import { isExactNumber } from "@crowdai/shared";

const COLOR = /\u001b\[[0-9;]*m/g;
/** C0 except tab and newline, DEL, C1, and marks that change the text direction. */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Returns a text that cannot control the terminal: control characters become visible, such as `\x1b`.
 * `keepColors` leaves the colors of the style.
 */
export function plainText(text: string, options: { keepColors?: boolean } = {}): string {
  if (!options.keepColors) return text.replace(/\r\n/g, "\n").replace(UNSAFE, visible);
  const colors = text.match(COLOR) ?? [];
  return text
    .split(COLOR)
    .map((piece, i) => plainText(piece) + (colors[i] ?? ""))
    .join("");
}

/** Returns a text as plain text on one line. */
export function plainLine(text: string): string {
  return plainText(text.replace(/[\r\n\t]+/g, " "));
}

/** Returns a value with every string in it as plain text; keys are not changed. */
export function plainValue<T>(value: T): T {
  if (typeof value === "string") return plainText(value) as T;
  if (Array.isArray(value)) return value.map(plainValue) as T;
  if (value !== null && typeof value === "object" && !isExactNumber(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)])) as T;
  return value;
}

function visible(character: string): string {
  const code = character.charCodeAt(0);
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}
