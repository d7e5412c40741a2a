/** The longest evaluator text shown to participants, in characters. */
export const MAX_MESSAGE_BYTES = 10 * 1024;

// Control characters that affect a terminal, and marks that reorder text. Newline and tab are allowed.
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are to be escaped
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Makes an evaluator's text safe for a terminal, a log and a page: escapes control characters and truncates
 * it at `limit`.
 */
export function sanitizeText(text: string, limit = MAX_MESSAGE_BYTES): string {
  const cut = text.length > limit ? `${text.slice(0, limit)} … (truncated)` : text;
  return cut
    .toWellFormed()
    .replace(/\r\n/g, "\n")
    .replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Removes the given folders from a text, so that paths in error messages reveal nothing about the host. */
export function removeFolderPaths(text: string, folders: readonly string[]): string {
  let clean = text;
  for (const folder of folders) clean = clean.replaceAll(`${folder}/`, "").replaceAll(folder, ".");
  return clean;
}
