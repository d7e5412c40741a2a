import { distance } from "fastest-levenshtein";

const MAX_LENGTH = 60;

/** Returns the known word closest to `word`, or null when none is close. */
export function suggest(word: string, known: readonly string[]): string | null {
  if (word.length > 200) return null;
  let near: { word: string; distance: number } | null = null;
  for (const candidate of known) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (
      edits <= Math.max(2, Math.floor(candidate.length / 3)) &&
      edits < candidate.length &&
      edits < (near?.distance ?? Number.POSITIVE_INFINITY)
    )
      near = { word: candidate, distance: edits };
  }
  return near?.word ?? startingWith(word, known);
}

/**
 * Returns the known word that starts with `word` if there is exactly one, for example `timeout_seconds` for
 * `timeout`.
 */
function startingWith(word: string, known: readonly string[]): string | null {
  const found =
    word.length < 3 ? [] : known.filter((one) => one.toLowerCase().startsWith(word.toLowerCase()));
  return found.length === 1 ? found[0]! : null;
}

/** Quotes untrusted text for a message: shortened, with control characters escaped. */
export function quoted(text: string): string {
  const short = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  const safe = short.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (c) => `\\u${c.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
  return `"${safe}"`;
}
