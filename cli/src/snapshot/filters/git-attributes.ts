import type { BytePath } from "../../git/byte-path.ts";

/** Length of a line from which git's checks fail. */
const MAX_LINE = 2048;

/** Attributes with which git writes other bytes into a working tree than are in the commit. */
const CONVERTS = /^(eol=crlf|ident|filter(=.*)?|working-tree-encoding(=.*)?)$/;

/**
 * Returns why this .gitattributes is left out, or null; null for any other file too. Files are captured as
 * they are on disk, so a rule that converts them would change them in every clone.
 */
export function refusedAttributes(path: BytePath, bytes: Buffer): string | null {
  if (!/(^|\/)\.gitattributes$/i.test(path)) return null;
  const lines = bytes.toString("latin1").split("\n");
  if (lines.some((line) => line.length >= MAX_LINE)) return "one of its lines is longer than git allows";
  for (const line of lines) {
    const [pattern = "", ...attributes] = line.trim().split(/[\s\0]+/);
    if (pattern.startsWith("#")) continue;
    const found = attributes.find((attribute) => CONVERTS.test(attribute));
    if (found) return `its rule ${found} would change files in a clone`;
  }
  return null;
}
