/** Longest text of an evaluator that a participant is shown, in characters. */
export const MESSAGE_LIMIT = 10 * 1024;

// Everything a terminal could act on, and the marks that reorder text; new line and tab stay.
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is to be escaped
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** An evaluator's text, fit for a terminal, a log and a page: control characters escaped, cut at `limit`. */
export function sanitizeText(text: string, limit = MESSAGE_LIMIT): string {
  const cut = text.length > limit ? `${text.slice(0, limit)} … (cut)` : text;
  return cut
    .toWellFormed()
    .replace(/\r\n/g, "\n")
    .replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Takes the folders of this machine out of a text, so that a path in an error tells nothing of the host. */
export function removeFolderPaths(text: string, folders: readonly string[]): string {
  let clean = text;
  for (const folder of folders) clean = clean.replaceAll(`${folder}/`, "").replaceAll(folder, ".");
  return clean;
}
