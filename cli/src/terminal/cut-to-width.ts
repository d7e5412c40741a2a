import stringWidth from "string-width";

/** Returns the number of columns that a text fills. */
export const textWidth = (text: string): number => stringWidth(text);

/** Returns a text of at most `width` columns; one that was cut ends in `…`. */
export function cutToWidth(text: string, width: number, unicode: boolean): string {
  if (stringWidth(text) <= width) return text;
  const end = unicode ? "…" : "...";
  let shown = "";
  let filled = stringWidth(end);
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    filled += stringWidth(segment);
    if (filled > width) break;
    shown += segment;
  }
  return width < end.length ? end.slice(0, Math.max(0, width)) : shown.trimEnd() + end;
}

/**
 * Returns the lines of a text, broken between words, with the indentation that each began with. A word that
 * is wider than a line stays whole.
 */
export function wrapWords(text: string, width: number): string[] {
  return text.split("\n").flatMap((part) => {
    if (stringWidth(part) <= width) return [part];
    const indent = /^ */.exec(part)![0];
    const lines: string[] = [];
    let line: string | null = null;
    for (const word of part.slice(indent.length).split(" ")) {
      if (line !== null && stringWidth(line) + 1 + stringWidth(word) > width) {
        lines.push(line);
        line = null;
      }
      line = line === null ? indent + word : `${line} ${word}`;
    }
    return line === null ? lines : [...lines, line];
  });
}
