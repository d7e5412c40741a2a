import { randomBytes } from "node:crypto";

// JSON.parse reads every number as a double. Numbers that must be read otherwise are first turned into
// strings that begin with this mark, which no text from outside can contain.
let chosen: string | undefined;
function markText(): string {
  chosen ??= `number ${randomBytes(16).toString("hex")} `;
  return chosen;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /-?(?:(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|Infinity)/y;

/** Returns a string value that stands for a number. */
export const mark = (literal: string): string => markText() + literal;

/** Returns JSON text with the chosen numbers marked, NaN and Infinity among them; null if none was chosen. */
export function markNumbers(text: string, choose: (literal: string) => boolean): string | null {
  let result = "";
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) at = endOfString(text, at);
    else if ((c >= 0x30 && c <= 0x39) || c === 0x2d || c === 0x4e || c === 0x49) {
      NUMBER.lastIndex = at;
      const literal = NUMBER.exec(text)?.[0];
      if (literal === undefined) continue;
      if (choose(literal)) {
        result += `${text.slice(copied, at)}"${mark(literal)}"`;
        copied = at + literal.length;
      }
      at += literal.length - 1;
    }
  }
  return copied === 0 ? null : result + text.slice(copied);
}

/** Returns text in which marked numbers are numbers again. */
export function unmarkText(text: string): string {
  return text.replaceAll(new RegExp(`"${markText()}([^"]*)"`, "g"), "$1");
}

/**
 * Replaces the marked numbers of a parsed value, in place. `replace` receives each one with its path of
 * property names.
 */
export function unmark(
  value: unknown,
  replace: (literal: string, path: readonly string[]) => unknown,
  path: readonly string[] = [],
): unknown {
  if (typeof value === "string")
    return value.startsWith(markText()) ? replace(value.slice(markText().length), path) : value;
  if (typeof value !== "object" || value === null) return value;
  for (const [name, item] of Object.entries(value)) {
    if (name.startsWith(markText())) throw new SyntaxError("a number where JSON requires a property name");
    if (typeof item !== "string" && (typeof item !== "object" || item === null)) continue;
    const replaced = unmark(item, replace, [...path, name]);
    // Defined instead of assigned, because of properties such as __proto__.
    if (replaced !== item)
      Object.defineProperty(value, name, {
        value: replaced,
        enumerable: true,
        writable: true,
        configurable: true,
      });
  }
  return value;
}

/** Returns the position of the closing quote of a string. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === QUOTE) return at;
    if (c === BACKSLASH) at++;
  }
  return text.length;
}
