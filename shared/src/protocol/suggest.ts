import { distance } from "fastest-levenshtein";

const MAX_LENGTH = 60;

/** The known word that `word` most likely meant, or null when none is near. */
export function suggest(word: string, known: readonly string[]): string | null {
  if (word.length > 200) return null;
  let near: { word: string; distance: number } | null = null;
  for (const candidate of known) {
    const away = distance(word.toLowerCase(), candidate.toLowerCase());
    if (
      away <= Math.max(2, Math.floor(candidate.length / 3)) &&
      away < candidate.length &&
      away < (near?.distance ?? Number.POSITIVE_INFINITY)
    )
      near = { word: candidate, distance: away };
  }
  return near?.word ?? beginningWith(word, known);
}

/** The only word that begins with what was written, as `timeout_seconds` does with `timeout`. */
function beginningWith(word: string, known: readonly string[]): string | null {
  const found =
    word.length < 3 ? [] : known.filter((one) => one.toLowerCase().startsWith(word.toLowerCase()));
  return found.length === 1 ? found[0]! : null;
}

/** A word from outside, as it may stand in a message: quoted, of bearable length, control characters escaped. */
export function quoted(text: string): string {
  const short = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  const safe = short.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (c) => `\\u${c.codePointAt(0)!.toString(16).padStart(4, "0")}`,
  );
  return `"${safe}"`;
}
