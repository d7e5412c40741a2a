import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Names of the file that describes a scoring program, the first of which that exists counts. */
const NAMES = ["metadata.yaml", "metadata"];
const MAX_BYTES = 1024 * 1024;

/**
 * Reads the metadata file of a scoring program. Returns its name and its command; null where there is none.
 */
export function readProgramMetadata(folder: string): { name: string; command: string | null } | null {
  for (const name of NAMES) {
    const text = textOf(join(folder, name));
    if (text !== null) return { name, command: commandIn(text) };
  }
  return null;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path).subarray(0, MAX_BYTES).toString("utf8");
  } catch {
    return null;
  }
}

/**
 * Returns the command in a text of YAML: in a line of its own, in quotes, or in lines that are indented below
 * its name.
 */
export function commandIn(text: string): string | null {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  const at = lines.findIndex((line) => /^command\s*:(?:\s|$)/.test(line));
  if (at < 0) return null;
  const after = lines.slice(at + 1);
  const end = after.findIndex((line) => /^\S/.test(line));
  const below = (end < 0 ? after : after.slice(0, end)).map((line) => line.trim());
  const first = lines[at]!.replace(/^command\s*:\s*/, "").replace(/^[>|][+-]?\d*\s*(?:#.*)?$/, "");
  const whole = [first, ...below].join(" ").trim();
  const quotedText = /^'((?:[^']|'')*)'\s*(?:#.*)?$/.exec(whole)?.[1]?.replaceAll("''", "'");
  if (quotedText !== undefined) return quotedText.trim() || null;
  const escaped = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(whole)?.[1]?.replaceAll(/\\(.)/g, "$1");
  return (escaped ?? whole.replace(/(?:^|\s)#.*$/, "")).trim() || null;
}
