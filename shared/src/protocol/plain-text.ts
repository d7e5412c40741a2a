import { z } from "zod";

/** Controls of terminals, and marks that make a text read as another one. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const UNSAFE_IN_LINES = /(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** Returns why a name or title is not one line that reads as it is written; null if it is. */
export function lineProblem(text: string): string | null {
  if (!text.isWellFormed()) return "it is not Unicode";
  const found = UNSAFE.exec(text)?.[0];
  if (found === undefined) return null;
  const code = `U+${found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
  return /\p{Bidi_Control}/u.test(found)
    ? `it has a character that changes the direction of text (${code})`
    : `it has a control character (${code})`;
}

/** A name or title: one line that reads as it is written. */
export const lineSchema = z.string().refine((text) => lineProblem(text) === null, {
  error: ({ input }) => `a text of one line; ${lineProblem(String(input))}`,
});

/** Makes a text of several lines read as it is written: escapes all controls but newline and tab. */
export function plainText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(UNSAFE_IN_LINES, (c) => `\\u${c.codePointAt(0)!.toString(16).padStart(4, "0")}`);
}
